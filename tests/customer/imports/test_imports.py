"""A file of customers on its way in, over the API."""

from tests.customer.imports.shop import Importing, counts, table

HEAD = ("Họ và tên", "SĐT", "Email", "Ngày sinh", "Địa chỉ", "Giới tính", "Nhóm", "Ghi chú")
DUC = (
    "Nguyễn Văn Đức",
    "912345678 / 01681234567",
    "DUC@example.com",
    "28/02/1990",
    "12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM",
    "Nam",
    "VIP; Sỉ",
    "Giao buổi sáng",
)


async def test_a_file_is_read_and_its_columns_are_known(importing: Importing) -> None:
    read = await importing.read(table(HEAD, DUC))
    assert (read["status"], read["rows"], read["error"]) == ("ready", 1, None)
    assert read["reading"]["delimiter"] == ","
    assert [one["target"] for one in read["mapping"]] == [
        *("name", "phone", "email", "birth_date", "address", "gender", "tags", "note")
    ]
    assert read["allowed_transitions"] == ["configure", "dry_run", "run"]


async def test_a_row_becomes_a_customer(importing: Importing) -> None:
    done = await importing.take_in(table(HEAD, DUC), source="pos")
    assert done["status"] == "finished"
    assert counts(done["run"]) == (1, 0, 0, 0, 0)
    [customer] = await importing.customers()
    told = ("name", "phone", "email", "birth_date", "gender", "tags", "source")
    assert [customer[name] for name in told] == [
        *("Nguyễn Văn Đức", "+84912345678", "duc@example.com", "1990-02-28"),
        *("male", ["VIP", "Sỉ"], "pos"),
    ]
    assert customer["address"]["ward"] == "P. Bến Nghé"
    path = f"/v1/customers/{customer['id']}"
    identities = (await importing.client.get(f"{path}/identities")).json()["data"]
    assert sorted(one["value"] for one in identities) == [
        *("+84381234567", "+84912345678", "duc@example.com")
    ]
    assert {one["standing"] for one in identities} == {"claimed"}
    [note] = (await importing.client.get(f"{path}/notes")).json()["data"]
    assert note["text"] == "Giao buổi sáng"
    [outcome] = await importing.outcomes(done)
    assert outcome["outcome"] == "created"
    assert (outcome["customer_id"], outcome["code"]) == (customer["id"], customer["code"])


async def test_a_second_run_changes_nothing(importing: Importing) -> None:
    content = table(HEAD, DUC, ("Trần Thị Mai", "", "", "1985", "", "", "", ""))
    await importing.take_in(content)
    before = await importing.customers()
    again = await importing.take_in(content)
    assert counts(again["run"]) == (0, 0, 2, 0, 0)
    assert await importing.customers() == before


async def test_a_dry_run_tells_what_would_be_and_changes_nothing(importing: Importing) -> None:
    await importing.take_in(table(("Tên", "Mã hội viên"), ("Mai", "M1")), source="pos")
    before = await importing.customers()
    people = [("Mai", "M1", "Huế"), ("Lan", "M2", ""), ("Lan", "M2", "Vinh"), ("", "", "Huế")]
    read = await importing.read(table(("Tên", "Mã hội viên", "Thành phố"), *people), source="pos")
    tried = await importing.run(read, dry_run=True)
    assert (tried["status"], tried["run"]) == ("ready", None)
    assert counts(tried["dry_run"]) == (1, 1, 0, 1, 1)
    assert await importing.customers() == before
    samples = {one["outcome"]: one for one in tried["dry_run"]["samples"]}
    assert samples["updated"]["changes"] == {"city": [None, "Huế"]}
    assert samples["merged"]["of_row"] == 3
    done = await importing.run(read)
    assert counts(done["run"]) == counts(tried["dry_run"])
