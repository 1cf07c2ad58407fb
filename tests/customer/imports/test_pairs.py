"""What an import changes of customers, and takes back, changes the pairs that they are in."""

from tests.customer.imports.shop import Importing, Json, table

NAME, PHONE, BORN = "Nguyễn Thị Lan", "0912345678", "28/02/1990"
HEAD = ("Mã hội viên", "Ngày sinh", "Tên")


async def pair(importing: Importing) -> Json:
    """The only open pair."""
    [found] = (await importing.client.get("/v1/duplicates")).json()["data"]
    return dict(found)


async def two_with_one_number(importing: Importing) -> None:
    ids = [{"source": "pos", "external_id": "M1"}]
    for said in ({"external_ids": ids}, {"birth_date": "1990-02-28"}):
        body = {"name": NAME, "phone": PHONE, **said}
        assert (await importing.client.post("/v1/customers", json=body)).status_code == 201


async def test_an_import_makes_a_pair_stronger_and_its_undoing_weaker(
    importing: Importing,
) -> None:
    await two_with_one_number(importing)
    before = await pair(importing)
    assert set(before["reasons"]) == {"same_phone_claimed", "same_name"}
    done = await importing.take_in(table(HEAD, ("M1", BORN)), source="pos")
    stronger = await pair(importing)
    assert stronger["score"] >= before["score"]
    assert set(stronger["reasons"]) == {"same_phone_claimed", "same_name", "same_birth_date"}
    undone = await importing.undo(done)
    assert undone["undo"]["restored"] == 1
    assert set((await pair(importing))["reasons"]) == {"same_phone_claimed", "same_name"}


async def test_an_import_that_contradicts_makes_a_pair_weaker(importing: Importing) -> None:
    await two_with_one_number(importing)
    await importing.take_in(table(HEAD, ("M1", BORN)), source="pos")
    row = ("M1", "03/11/1971", "Trần Văn Bảo")
    await importing.take_in(table(HEAD, row), source="pos")
    weaker = await pair(importing)
    assert weaker["score"] <= 15
    assert weaker["reasons"] == ["same_phone_claimed", "different_birth_date"]


async def test_whom_an_undone_import_brought_is_in_no_pair(importing: Importing) -> None:
    body = {"name": NAME, "phone": PHONE}
    assert (await importing.client.post("/v1/customers", json=body)).status_code == 201
    done = await importing.take_in(table(("Tên", "SĐT"), (NAME, PHONE)), source="pos")
    assert (await pair(importing))["reasons"] == ["same_phone_claimed", "same_name"]
    undone = await importing.undo(done)
    assert undone["undo"]["removed"] == 1
    assert (await importing.client.get("/v1/duplicates")).json()["data"] == []
