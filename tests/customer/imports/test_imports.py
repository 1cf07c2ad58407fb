"""A file of customers on its way in, over the API."""

import asyncio
import io
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta
from uuid import UUID

import httpx
import openpyxl
import pytest

from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.forgetting import ImportFiles
from services.customer.imports.repository import ImportRepository
from services.customer.imports.row_repository import MET
from shared.ids import TenantId
from shared.jobs.leases import LEASE
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.imports.conftest import SCOPES
from tests.customer.imports.shop import Importing, counts, table
from tests.support.harness import ServiceHarness
from tests.support.plans import rows_read

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


def people(count: int) -> bytes:
    rows = [(f"Khách {n}", f"09123456{n:02}", f"khach{n}@example.com") for n in range(count)]
    return table(("Tên", "SĐT", "Email"), *rows)


async def test_a_file_is_read_and_its_columns_are_known(importing: Importing) -> None:
    read = await importing.read(table(HEAD, DUC))
    assert (read["status"], read["rows"], read["error"]) == ("ready", 1, None)
    assert read["reading"]["delimiter"] == ","
    assert [one["target"] for one in read["mapping"]] == [
        *("name", "phone", "email", "birth_date", "address", "gender", "tags", "note")
    ]
    assert read["allowed_transitions"] == ["configure", "dry_run", "run", "discard"]


@pytest.mark.capability(15)
async def test_a_row_becomes_a_customer_whose_source_is_known(importing: Importing) -> None:
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
    assert {(one["standing"], one["source"]) for one in identities} == {("claimed", "pos")}
    [note] = (await importing.client.get(f"{path}/notes")).json()["data"]
    assert note["text"] == "Giao buổi sáng"
    [outcome] = await importing.outcomes(done)
    assert outcome["outcome"] == "created"
    assert (outcome["customer_id"], outcome["code"]) == (customer["id"], customer["code"])
    # Another source tells more, and the timeline says which fields came from there.
    more = table(("Mã KH", "Nghề nghiệp"), (customer["code"], "Giáo viên"))
    await importing.take_in(more, source="zalo", file_name="zalo.csv")
    timeline = (await importing.client.get(f"{path}/timeline")).json()["data"]
    [imported] = [one for one in timeline if one["type"] == "customer.imported"]
    assert imported["data"]["source"] == "zalo"
    assert imported["data"]["fields"] == ["occupation"]


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
    rows = [("Mai", "M1", "Huế"), ("Lan", "M2", ""), ("Lan", "M2", "Vinh"), ("", "", "Huế")]
    # In other portions: what an earlier one has tried is known to the later ones.
    rows += [("Đức", f"M{n}", "") for n in range(3, 8)] + [("Lan", "M2", "Vinh")]
    read = await importing.read(table(("Tên", "Mã hội viên", "Thành phố"), *rows), source="pos")
    tried = await importing.run(read, dry_run=True)
    assert (tried["status"], tried["run"]) == ("ready", None)
    assert counts(tried["dry_run"]) == (6, 1, 0, 2, 1)
    assert await importing.customers() == before
    samples = {one["outcome"]: one for one in reversed(tried["dry_run"]["samples"])}
    assert samples["updated"]["changes"] == {"city": [None, "Huế"]}
    assert samples["merged"]["of_row"] == 3
    assert samples["created"]["changes"]["name"] == [None, "Lan"]
    assert len(await importing.outcomes(tried)) == 10
    done = await importing.run(read)
    assert counts(done["run"]) == counts(tried["dry_run"])


LAN, BI, MAI = "0912345601", "0912345602", "0912345603"


@pytest.mark.parametrize("portion", [1, 2, 9])
@pytest.mark.parametrize(
    ("options", "rows", "words"),
    [
        # Whom the source knows by another id is somebody else, with the same number.
        ({"match_by": ["phone"]}, [("An", LAN, "", "X1"), ("Bình", LAN, "", "X2")], "cc"),
        (
            {"match_by": ["phone"]},
            [("An", LAN, "", ""), ("An", LAN, "", "X1"), ("Bình", LAN, "", "X2")],
            "cmc",
        ),
        # Who is left as they are was given nothing.
        (
            {"existing": "skip"},
            [("K", "", "", "V", "KH000001"), ("Mới", "", "", "V"), ("Mới", "", "", "V")],
            "ucm",
        ),
        (
            {"existing": "skip", "match_by": ["phone"]},
            [("K", BI, "", "", "KH000001"), ("Mới", BI, "", ""), ("Mai", BI, "", "")],
            "ucm",
        ),
        # A contact of several people says who it is only by the name.
        (
            {"match_by": ["email", "phone"]},
            [
                *(("A", LAN, "a@x.vn", ""), ("B", BI, "", ""), ("Z", BI, "a@x.vn", "")),
                *(("Y", BI, "", ""), ("b", BI, "", ""), ("Z", BI, "", "")),
            ],
            "ccmimi",
        ),
        # What a later row gives leads to them, too.
        (
            {"match_by": ["phone"]},
            [("A", "", "a@x.vn", "X1"), ("A", MAI, "", "X1"), ("Ai", MAI, "", "")],
            "cmm",
        ),
        (
            {"match_by": ["phone"]},
            [("K", MAI, "", "", "KH000001"), ("Ai", MAI, "", ""), ("Ai", MAI, "", "X1")],
            "dmm",
        ),
    ],
)
async def test_a_dry_run_decides_as_the_run_does(
    importing: Importing,
    new_runner: Callable[..., JobRunner],
    portion: int,
    options: dict[str, object],
    rows: list[tuple[str, ...]],
    words: str,
) -> None:
    await importing.client.post("/v1/customers", json={"name": "Khách quen"})
    importing.runner = new_runner(portion)
    content = table(("Tên", "SĐT", "Email", "Mã hội viên", "Mã KH"), *rows)
    read = await importing.read(content, source="pos")
    read = await importing.change(read, options=options)
    tried = await importing.run(read, dry_run=True)
    told = [
        (row["outcome"], row["of_row"], row["problems"]) for row in await importing.outcomes(tried)
    ]
    done = await importing.run(read)
    assert told == [
        (row["outcome"], row["of_row"], row["problems"]) for row in await importing.outcomes(done)
    ]
    assert "".join({"updated": "d"}.get(word, word[0]) for word, *_ in told) == words
    figures = ("possible_duplicates", "problems")
    assert [tried["dry_run"][name] for name in figures] == [done["run"][name] for name in figures]


async def test_rows_of_one_person_become_one_customer(importing: Importing) -> None:
    """The number written in four ways; what the first row leaves open is filled by the others."""
    rows = [
        ("Nguyễn Văn Đức", "0912345678", "", "Huế"),
        ("NGUYỄN VĂN ĐỨC", "912345678", "duc@example.com", "Vinh"),
        *[(f"Khách {n}", f"09333333{n:02}", "", "") for n in range(5)],
        ("nguyen van duc", "+84 912 345 678", "", ""),
        ("Nguyễn Văn Đức", "84912345678", "", ""),
    ]
    content = table(("Tên", "SĐT", "Email", "Thành phố"), *rows)
    done = await importing.take_in(content)
    assert counts(done["run"]) == (6, 0, 0, 3, 0)
    duc, *_others = await importing.customers()
    assert [duc[name] for name in ("name", "email", "city")] == [
        *("Nguyễn Văn Đức", "duc@example.com", "Huế")
    ]
    merged = await importing.rows(done, outcome="merged")
    assert [(row["row"], row["of_row"]) for row in merged] == [(3, 2), (9, 2), (10, 2)]
    before = await importing.customers()
    again = await importing.take_in(content)
    assert counts(again["run"]) == (0, 0, 6, 3, 0)
    assert await importing.customers() == before


@pytest.mark.parametrize("portion", [1, 4])
async def test_a_newcomer_of_several_rows_has_the_address_of_each(
    importing: Importing, new_runner: Callable[..., JobRunner], portion: int
) -> None:
    importing.runner = new_runner(portion)
    places = ["3 Lê Lợi, Huế", "5 Hai Bà Trưng, Huế", "3 LÊ LỢI, Huế"]
    rows = [("Lan", "0912345678", place) for place in ("", *places)]
    content = table(("Tên", "SĐT", "Địa chỉ"), *rows)
    done = await importing.take_in(content)
    assert counts(done["run"]) == (1, 0, 0, 3, 0)

    [customer] = await importing.customers()

    async def addresses() -> list[tuple[str, bool]]:
        answer = await importing.client.get(f"/v1/customers/{customer['id']}/addresses")
        found = [(one["full_address"], one["is_primary"]) for one in answer.json()["data"]]
        return sorted(found)

    before = await addresses()
    assert before == [(places[0], True), (places[1], False)]
    again = await importing.take_in(content)
    assert counts(again["run"]) == (0, 0, 1, 3, 0)
    assert [row["changes"] for row in await importing.rows(again)] == [{}] * 4
    assert await addresses() == before
    undone = await importing.undo(done)
    assert [undone["undo"][word] for word in ("removed", "kept")] == [1, 0]
    assert await addresses() == []


async def test_two_people_with_one_number_stay_two(importing: Importing) -> None:
    rows = [("Mẹ Lan", "0912345678"), ("Con Bi", "0912345678")]
    done = await importing.take_in(table(("Tên", "SĐT"), *rows))
    assert counts(done["run"]) == (2, 0, 0, 0, 0)
    assert done["run"]["possible_duplicates"] == 1
    [pair] = (await importing.client.get("/v1/duplicates")).json()["data"]
    assert pair["reasons"] == ["same_phone_claimed"]
    # Told apart by a person, they stay so when the same file comes again.
    path = f"/v1/duplicates/{pair['id']}"
    await importing.client.patch(path, json={"status": "dismissed"})
    await importing.take_in(table(("Tên", "SĐT"), *rows, ("Bố Hùng", "0912345678")))
    still = (await importing.client.get(path)).json()
    assert still["status"] == "dismissed"


async def test_a_known_customer_is_found_by_what_the_shop_says(importing: Importing) -> None:
    known = {"name": "Nguyễn Văn Đức", "phone": "0912345678"}
    made = (await importing.client.post("/v1/customers", json=known)).json()
    content = table(("Tên", "SĐT", "Thành phố"), ("Đức", "0912345678", "Huế"))
    # A claimed number alone leads to nobody, but to a pair for a person to look at.
    apart = await importing.run(await importing.read(content), dry_run=True)
    assert counts(apart["dry_run"]) == (1, 0, 0, 0, 0)
    assert apart["dry_run"]["possible_duplicates"] == 1
    chosen = await importing.change(apart, options={"match_by": ["phone"], "existing": "fill"})
    done = await importing.run(chosen)
    assert counts(done["run"]) == (0, 1, 0, 0, 0)
    [customer] = await importing.customers()
    assert (customer["id"], customer["name"], customer["city"]) == (
        *(made["id"], "Nguyễn Văn Đức"),
        "Huế",
    )


async def test_who_of_several_it_is_is_not_guessed(importing: Importing) -> None:
    for name in ("Mẹ Lan", "Con Bi"):
        known = {"name": name, "phone": "0912345678"}
        await importing.client.post("/v1/customers", json=known)
    rows = [("Con Bi", "0912345678"), ("Ai Đó", "0912345678")]
    done = await importing.take_in(table(("Tên", "SĐT"), *rows), options={"match_by": ["phone"]})
    assert counts(done["run"]) == (0, 0, 1, 0, 1)
    [problem] = done["run"]["problems"]
    assert (problem["code"], problem["first_row"]) == ("several_customers_match", 3)


async def test_a_birthday_that_has_not_been_is_a_problem_of_its_row(importing: Importing) -> None:
    content = table(("Tên", "Ngày sinh"), ("Đức", "28/02/1990"), ("Mai", "01/01/2150"))
    done = await importing.take_in(content)
    [problem] = done["run"]["problems"]
    assert (problem["code"], problem["first_row"]) == ("birth_date_not_valid", 3)
    assert {one["birth_date"] for one in await importing.customers()} == {"1990-02-28", None}


async def test_a_bad_cell_does_not_cost_the_row_unless_that_is_wanted(
    importing: Importing,
) -> None:
    content = table(HEAD[:4], ("Đức", "123", "không có", "31/02/1990"), ("Mai", "0912345678"))
    done = await importing.take_in(content)
    assert counts(done["run"]) == (2, 0, 0, 0, 0)
    assert {(one["column"], one["code"], one["first_row"]) for one in done["run"]["problems"]} == {
        ("SĐT", "phone_not_valid", 2),
        ("Email", "email_not_valid", 2),
        ("Ngày sinh", "birth_date_not_valid", 2),
    }
    read = await importing.read(content, source="other")
    mapping = [{**one, "strict": one["target"] == "phone"} for one in read["mapping"]]
    strict = await importing.run(await importing.change(read, mapping=mapping))
    assert counts(strict["run"]) == (1, 0, 0, 0, 1)
    [row] = await importing.rows(strict, outcome="invalid")
    assert {"code": "phone_not_valid", "column": "SĐT"} in row["problems"]


async def test_a_consent_needs_what_proves_it(importing: Importing) -> None:
    head = ("Tên", "Email", "Accepts email marketing", "Ngày đồng ý", "Nội dung đồng ý")
    said = "Tôi đồng ý nhận tin"
    rows = [
        ("Có đủ", "du@example.com", "yes", "01/03/2026", said),
        ("Thiếu ngày", "thieu@example.com", "yes", "", said),
        ("Không", "khong@example.com", "no", "", ""),
    ]
    done = await importing.take_in(table(head, *rows))
    consents = [one["consents"] for one in await importing.customers()]
    assert [[one["status"] for one in of_one] for of_one in consents] == [
        *(["granted"], [], ["withdrawn"])
    ]
    assert consents[0][0]["changed_at"] == "2026-02-28T17:00:00Z"
    assert [one["code"] for one in done["run"]["problems"]] == ["consent_without_proof"]
    read = await importing.read(table(head[:3], rows[0][:3]), source="other")
    answer = await importing.client.patch(
        f"/v1/imports/{read['id']}", json={"mapping": read["mapping"]}
    )
    assert (answer.status_code, answer.json()["code"]) == (422, "import_mapping_not_valid")
    assert answer.json()["errors"][0]["code"] == "consent_without_proof"


async def test_columns_can_be_mapped_by_hand(importing: Importing) -> None:
    read = await importing.read(table(("A", "B", "C"), ("Đức", "39", "01/02/2020")))
    mapping = [
        {"column": "A", "target": "name"},
        {"column": "B", "target": "attributes.shoe_size"},
        {"column": "C", "target": "created_at"},
    ]
    await importing.run(await importing.change(read, mapping=mapping))
    [customer] = await importing.customers()
    assert customer["attributes"] == {"shoe_size": "39"}
    assert customer["created_at"] == "2020-01-31T17:00:00Z"
    other = await importing.read(table(("A",), ("Đức",)))
    wrong = [{"column": "Z", "target": "name"}, {"column": "A", "target": "nonsense"}]
    answer = await importing.client.patch(f"/v1/imports/{other['id']}", json={"mapping": wrong})
    assert [one["pointer"] for one in answer.json()["errors"]] == [
        *("/body/mapping/0/column", "/body/mapping/1/column", "/body/mapping/1/target")
    ]


async def test_a_workbook_is_read_like_a_file_of_text(importing: Importing) -> None:
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["DANH SÁCH KHÁCH HÀNG"])
    sheet.append(["Họ tên", "Điện thoại", "Ngày sinh", "Ghi chú"])
    sheet.append(["Nguyễn Văn Đức", 912345678, date(1990, 2, 28), 12.0])
    sheet.append([])
    sheet.append(["Trần Mai", "01681234567", 32933, None])
    content = io.BytesIO()
    book.save(content)
    done = await importing.take_in(content.getvalue(), file_name="khach.xlsx")
    assert done["reading"]["header_row"] == 2
    assert counts(done["run"]) == (2, 0, 0, 0, 0)
    duc, mai = await importing.customers()
    assert (duc["phone"], duc["birth_date"]) == ("+84912345678", "1990-02-28")
    assert (mai["phone"], mai["birth_date"]) == ("+84381234567", "1990-03-01")
    assert [row["row"] for row in await importing.rows(done)] == [3, 5]


async def test_an_old_encoding_is_known(importing: Importing) -> None:
    text = "Họ tên;Điện thoại;Thành phố\n" + "".join(
        f"Nguyễn Văn Đức;09123456{n:02};Thừa Thiên Huế\n" for n in range(30)
    )
    read = await importing.read(in_windows_1258(text))
    assert (read["reading"]["encoding"], read["reading"]["delimiter"]) == ("cp1258", ";")
    await importing.run(read)
    assert {one["city"] for one in await importing.customers()} == {"Thừa Thiên Huế"}
    for encoding in ("utf-16", "utf-8-sig"):
        read = await importing.read(text.encode(encoding), source=encoding)
        assert [one["name"] for one in read["columns"]] == ["Họ tên", "Điện thoại", "Thành phố"]
        assert read["rows"] == 30


async def test_a_file_comes_in_parts(importing: Importing) -> None:
    content = people(9)
    answer = await importing.client.post("/v1/imports", json={"file_name": "khach.csv"})
    path = f"{answer.headers['location']}/file"
    for offset in range(0, len(content), 50):
        part, is_last = content[offset : offset + 50], offset + 50 >= len(content)
        query = {"offset": offset, "complete": str(is_last).lower()}
        answer = await importing.client.put(path, content=part, params=query)
        assert answer.status_code == 200, answer.text
        if not is_last:
            again = await importing.client.put(path, content=part, params=query)
            wanted = 200 if offset == 0 else 409
            assert again.status_code == wanted
            if wanted == 409:
                assert again.json()["received_bytes"] == offset + 50
    await importing.work()
    done = await importing.run(answer.json())
    assert counts(done["run"]) == (9, 0, 0, 0, 0)


async def test_a_worker_that_dies_leaves_nothing_half(
    importing: Importing, new_runner: Callable[..., JobRunner], shop: TenantId
) -> None:
    done = await importing.read(people(18))
    job = await importing.begin(done)
    for _ in range(2):
        assert await importing.runner.step(shop)
    # Another takes the job up and is gone in the middle of its batch: its transaction with it.
    dying = new_runner()
    lease = await dying._take(shop)
    assert lease is not None
    step = asyncio.create_task(dying._step(shop, lease))
    await asyncio.sleep(0)
    step.cancel()
    await asyncio.gather(step, return_exceptions=True)
    halfway = (await importing.client.get(job)).json()
    assert (halfway["status"], halfway["done"]) == ("running", 8)
    assert LEASE.total_seconds() <= 15
    await dying._give_back(shop, lease)
    await importing.work()
    done = await importing.get(done)
    assert (done["status"], counts(done["run"])) == ("finished", (18, 0, 0, 0, 0))
    assert len(await importing.customers()) == 18
    assert [int(row["row"]) for row in await importing.outcomes(done)] == list(range(2, 20))


async def test_two_imports_of_one_file_at_once_make_nobody_twice(
    importing: Importing, new_runner: Callable[..., JobRunner], shop: TenantId
) -> None:
    content = people(24)
    both = [await importing.read(content) for _ in range(2)]
    for one in both:
        await importing.begin(one)
    await asyncio.gather(*(new_runner().go_on(shop.hex) for _ in range(2)))
    found = [await importing.get(one) for one in both]
    assert [one["status"] for one in found] == ["finished", "finished"]
    assert sum(one["run"]["created"] for one in found) == 24
    assert sum(one["run"]["unchanged"] for one in found) == 24
    assert len(await importing.customers()) == 24


async def test_orders_that_come_meanwhile_are_not_lost(
    importing: Importing, shop: TenantId
) -> None:
    await importing.take_in(people(12), source="pos")
    rows = [(f"Khách {n}", f"09123456{n:02}", "Huế") for n in range(12)]
    again = await importing.read(table(("Tên", "SĐT", "Thành phố"), *rows), source="pos")
    await importing.begin(again)
    customers = await importing.customers()

    async def buy(customer_id: str, number: int) -> None:
        total = {"amount": "100000", "currency": "VND"}
        order = {"customer_id": customer_id, "source": "pos", "external_id": f"o{number}"}
        answer = await importing.client.post(
            "/v1/orders", json={**order, "financial_status": "paid", "total": total}
        )
        assert answer.status_code == 201, answer.text

    buying = (buy(customer["id"], n) for n, customer in enumerate(customers))
    await asyncio.gather(importing.work(), *buying)
    for customer in await importing.customers():
        assert (customer["city"], customer["orders_count"]) == ("Huế", 1)


async def test_others_hear_when_a_run_has_ended(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    read = await importing.read(people(3), source="pos")
    await importing.run(read, dry_run=True)
    assert await service.told(shop, "customer.import_finished") == []
    done = await importing.run(read)
    [told] = await service.told(shop, "customer.import_finished")
    run = told["run"]
    assert (run["import_id"], run["job_id"]) == (done["id"], done["job_id"])
    assert (run["status"], run["version"], run["source"]) == ("finished", done["version"], "pos")
    assert (run["rows"], run["rows_done"], run["created"], run["erased"]) == (3, 3, 3, 0)
    assert "Khách" not in str(told)


async def test_an_import_stops_when_it_is_told_to_and_goes_on_later(
    importing: Importing, shop: TenantId
) -> None:
    read = await importing.read(people(12))
    await importing.begin(read)
    await importing.runner.step(shop)
    answer = await importing.client.post(f"/v1/imports/{read['id']}/cancel")
    assert answer.status_code == 200, answer.text
    await importing.work()
    stopped = await importing.get(read)
    assert (stopped["status"], stopped["allowed_transitions"]) == (
        *("cancelled", ["run", "undo", "discard"]),
    )
    assert len(await importing.customers()) == 4
    done = await importing.run(stopped)
    assert (done["status"], counts(done["run"])) == ("finished", (12, 0, 0, 0, 0))


async def test_what_cannot_be_asked_of_an_import_now_is_refused(importing: Importing) -> None:
    done = await importing.take_in(people(1))
    for method, path in (("PUT", "file"), ("POST", "run"), ("POST", "cancel")):
        answer = await importing.client.request(method, f"/v1/imports/{done['id']}/{path}")
        assert (answer.status_code, answer.json()["code"]) == (
            *(409, "import_transition_not_allowed"),
        )
        assert answer.json()["allowed_transitions"] == ["undo"]


async def test_imports_are_for_those_who_see_everybody(
    service: ServiceHarness, importing: Importing, shop: TenantId
) -> None:
    read = await importing.read(people(1))
    async with service.client(shop, *SCOPES, sees_pii=False) as masked:
        told = (await masked.get(f"/v1/imports/{read['id']}")).json()
        assert {sample for one in told["columns"] for sample in one["samples"]} == {"***"}
    async with service.client(
        shop, *SCOPES, kind=PrincipalKind.STAFF, visibility=Visibility.OWN
    ) as agent:
        assert (await agent.get(f"/v1/imports/{read['id']}")).status_code == 403


async def test_progress_can_be_followed(client: httpx.AsyncClient, importing: Importing) -> None:
    job = await importing.begin(await importing.read(people(9)))
    events = asyncio.create_task(client.get(f"{job}/events"))
    await importing.work()
    told = (await events).text
    assert "event: ended" in told
    assert '"done":9,"total":9' in told


async def test_a_file_that_is_never_taken_in_is_not_kept_for_ever(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    read = await importing.run(await importing.read(people(3)), dry_run=True)
    assert read["dry_run"]["samples"]
    assert read["columns"][0]["samples"]
    units = service.context.units
    async with units.begin(shop) as uow:
        past = uow.clock.now() - timedelta(seconds=1)
        await ImportRepository(uow).save(UUID(read["id"]), {"files_expire_at": past})
        await uow.commit()
    await ImportFiles(units).forget()
    forgotten = await importing.get(read)
    assert (forgotten["status"], forgotten["allowed_transitions"]) == ("cancelled", [])
    assert forgotten["dry_run"] == {**read["dry_run"], "samples": []}
    assert forgotten["columns"] == [{**column, "samples": []} for column in read["columns"]]
    async with units.begin(shop) as uow:
        assert await ImportFileRepository(uow).pieces(UUID(read["id"]), 0, 9) == []
        assert await ImportFileRepository(uow).chunk(UUID(read["id"]), 0) is None


def in_windows_1258(text: str) -> bytes:
    """As old programs write it: vowels composed, tones apart."""
    shapes = "\u0302\u0306\u031b"
    written = b""
    for char in text:
        base, *marks = unicodedata.normalize("NFD", char)
        vowel = unicodedata.normalize("NFC", base + "".join(m for m in marks if m in shapes))
        tones = "".join(mark for mark in marks if mark not in shapes)
        written += (vowel + tones).encode("cp1258")
    return written


async def test_who_was_met_before_is_looked_up_and_not_searched_for(
    new_runner: Callable[..., JobRunner],
    client: httpx.AsyncClient,
    shop: TenantId,
    database_url: str,
) -> None:
    people = [(f"Khách {number}", f"09123{number:05}") for number in range(2000)]
    done = await Importing(client, new_runner(2000), shop).take_in(table(("Tên", "SĐT"), *people))
    newest = (await client.get("/v1/customers", params={"limit": 5})).json()["data"]
    ids = [customer["id"] for customer in newest]
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table="import_row",
        statement=MET,
        parameters={"tenant": shop, "this_import": done["id"], "ids": ids},
        is_analyzed=False,
    )
    assert read == 5
