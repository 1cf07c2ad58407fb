"""Files about people who were merged since: what was weighed then is no news."""

from collections.abc import Mapping, Sequence

import pytest

from tests.customer.imports.shop import Importing, Json, counts, table

HEAD = ("Họ tên", "SĐT", "Thành phố", "Nghề nghiệp", "Ngày sinh", "Hạng riêng", "Nhóm", "Ghi chú")
ONE = ("Lan Một", "0912345601", "Huế", "Thợ may", "28/02/1990", "bạc", "VIP", "Thích trà")
TWO = ("Nguyễn Thị Lan", "0912345602", "Vinh", "", "", "vàng", "Sỉ", "Gọi buổi tối")
THREE = ("Lan Ba", "0912345603", "Đà Lạt", "Giáo viên", "", "đồng", "", "")
CODES = ("M1", "M2", "M3")


async def take_in(importing: Importing, *rows: Sequence[str], **options: object) -> Json:
    """The import after its run; the dry run before it has told the same."""
    head = HEAD if len(rows[0]) == len(HEAD) else (*HEAD, "Mã hội viên")
    read = await importing.read(table(head, *rows), source="pos")
    targets = {one["column"]: one["target"] for one in read["mapping"]}
    targets |= {"Hạng riêng": "attributes.rank"}
    mapping = [{"column": column, "target": target} for column, target in targets.items()]
    read = await importing.change(read, mapping=mapping, options=options)
    tried = await importing.run(read, dry_run=True)
    done = await importing.run(read)
    assert counts(tried["dry_run"]) == counts(done["run"])
    return done


async def merge(importing: Importing, stays: Json, goes: Json, **given: object) -> Json:
    answer = await importing.client.post(
        f"/v1/customers/{stays['id']}/merges", json={"customer_ids": [goes["id"]], **given}
    )
    assert answer.status_code == 201, answer.text
    merged: Json = answer.json()
    return merged


async def everything(importing: Importing) -> list[Mapping[str, object]]:
    """All customers, with their notes and what they are recognised by."""
    told = []
    for customer in await importing.customers():
        path = f"/v1/customers/{customer['id']}"
        lists = [
            (await importing.client.get(f"{path}/{word}")).json()["data"]
            for word in ("identities", "notes", "timeline", "consents")
        ]
        told.append({"customer": customer, "lists": lists})
    return told


@pytest.mark.capability(123)
@pytest.mark.parametrize("existing", ["update", "fill", "skip"])
@pytest.mark.parametrize("known_by", ["contact and name", "phone", "external_id"])
async def test_the_same_file_changes_nothing_of_who_was_merged_since(
    importing: Importing, existing: str, known_by: str
) -> None:
    rows: list[Sequence[str]] = [ONE, TWO]
    if known_by == "external_id":
        rows = [(*row, code) for row, code in zip(rows, CODES, strict=False)]
    match_by = ["phone"] if known_by == "phone" else []
    await take_in(importing, *rows, existing=existing, match_by=match_by)
    goes, stays = await importing.customers()
    await merge(importing, stays, goes)
    before = await everything(importing)
    again = await take_in(importing, *rows, existing=existing, match_by=match_by)
    assert counts(again["run"]) == (0, 0, 1, 1, 0)
    assert [row["problems"] for row in await importing.rows(again)] == [[], []]
    assert await everything(importing) == before


@pytest.mark.parametrize("existing", ["update", "fill"])
async def test_what_was_chosen_from_another_record_is_kept(
    importing: Importing, existing: str
) -> None:
    await take_in(importing, ONE, TWO)
    goes, stays = await importing.customers()
    chosen = {"name": goes["id"], "city": goes["id"], "attributes.rank": goes["id"]}
    await merge(importing, stays, goes, fields=chosen)
    before = await everything(importing)
    again = await take_in(importing, ONE, TWO, existing=existing)
    assert counts(again["run"]) == (0, 0, 1, 1, 0)
    # The row of the one that stays by itself, too: there it is the first.
    again = await take_in(importing, TWO, existing=existing)
    assert counts(again["run"]) == (0, 0, 1, 0, 0)
    assert await everything(importing) == before


async def test_a_field_that_was_cleared_by_choice_is_not_filled_again(
    importing: Importing,
) -> None:
    no_rank = (*ONE[:5], "", *ONE[6:])
    await take_in(importing, no_rank, TWO)
    goes, stays = await importing.customers()
    await merge(importing, stays, goes, fields={"attributes.rank": goes["id"]})
    await take_in(importing, TWO, existing="fill")
    await take_in(importing, TWO, existing="update")
    [customer] = await importing.customers()
    assert customer["attributes"] == {}


async def test_it_holds_through_a_chain_and_when_that_is_taken_apart(
    importing: Importing,
) -> None:
    rows = (ONE, TWO, THREE)
    await take_in(importing, *rows)
    one, two, three = await importing.customers()
    apart = await everything(importing)
    first = await merge(importing, two, one, fields={"name": one["id"]})
    last = await merge(importing, three, two, fields={"city": two["id"]})
    before = await everything(importing)
    again = await take_in(importing, *rows)
    assert counts(again["run"]) == (0, 0, 1, 2, 0)
    for row in rows:
        again = await take_in(importing, row)
        assert counts(again["run"]) == (0, 0, 1, 0, 0)
    assert await everything(importing) == before
    for done in (last, first):
        answer = await importing.client.post(f"/v1/merges/{done['id']}/undo")
        assert answer.status_code == 200, answer.text
    again = await take_in(importing, *rows)
    assert counts(again["run"]) == (0, 0, 3, 0, 0)
    names = [told["customer"]["name"] for told in await everything(importing)]  # type: ignore[index]
    assert names == [told["customer"]["name"] for told in apart]  # type: ignore[index]


async def test_what_a_row_says_anew_is_heard(importing: Importing) -> None:
    await take_in(importing, ONE, TWO)
    goes, stays = await importing.customers()
    await merge(importing, stays, goes)
    moved = (*ONE[:2], "Cần Thơ", *ONE[3:6], "VIP;Mới", "Đã chuyển nhà")
    again = await take_in(importing, moved)
    assert counts(again["run"]) == (0, 1, 0, 0, 0)
    [customer] = await importing.customers()
    assert [customer[name] for name in ("name", "phone", "city", "occupation")] == [
        *(TWO[0], "+84912345602", "Cần Thơ"),
        "Thợ may",
    ]
    assert customer["attributes"] == {"rank": "vàng"}
    assert set(customer["tags"]) == {"VIP", "Sỉ", "Mới"}
    notes = await importing.client.get(f"/v1/customers/{stays['id']}/notes")
    assert {note["text"] for note in notes.json()["data"]} == {ONE[7], TWO[7], moved[7]}
    again = await take_in(importing, moved)
    assert counts(again["run"]) == (0, 0, 1, 0, 0)
