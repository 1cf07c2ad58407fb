"""What was written to one person by id is listed when they part, whatever kind of thing it is."""

from typing import Any

import pytest

from services.customer.merges.written_things import NOT_LISTED, WRITTEN_BY_ID
from services.customer.schema import metadata
from tests.customer.merging import Merging

RESOURCES = (
    "customers",
    "interactions",
    "leads",
    "loyalty",
    "orders",
    "privacy",
    "redemptions",
    "reviews",
)
SCOPES = tuple(
    f"{resource}:{verb}"
    for resource in (*RESOURCES, "review_submissions", "vouchers")
    for verb in ("read", "write")
)


@pytest.fixture
async def client(service, shop):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def people(client) -> Merging:
    return Merging(client)


@pytest.fixture
def send(client):
    async def sent(path: str, **body: Any) -> dict[str, Any]:
        answer = await client.post(f"/v1/{path}", json=body)
        assert answer.is_success, answer.text
        made: dict[str, Any] = answer.json()
        return made

    return sent


@pytest.fixture
async def programme(client, send) -> None:
    """One point for each thousand spent, to be spent at once."""
    said = {"name": "Thân thiết", "point_value": {"amount": "1", "currency": "VND"}, "hold_days": 0}
    answer = await client.put("/v1/loyalty/programme", json=said)
    assert answer.is_success, answer.text


def things(undone: dict[str, Any]) -> dict[str, list[str]]:
    return {each["object"]: each["ids"] for each in undone["undecided"]["things"]}


def test_every_table_of_customers_is_listed_or_said_why_not() -> None:
    theirs = {table.name for table in metadata.tables.values() if "customer_id" in table.c}
    listed = {kind.table.name for kind in WRITTEN_BY_ID.values()}
    assert listed | NOT_LISTED.keys() == theirs
    assert listed.isdisjoint(NOT_LISTED)


@pytest.mark.capability(121)
async def test_what_was_written_to_the_one_they_were_is_listed(people, client, send):
    stays, leaves = await people.make(name="An"), await people.make(name="Bo")
    merge = await people.merge(stays, leaves)
    who = {"customer_id": stays["id"]}
    review = await send("reviews", product_id="ao", rating=5, **who)
    voucher = await send(
        "vouchers",
        name="Quà",
        kind="amount",
        value={"amount": "50000", "currency": "VND"},
    )
    codes = await send(f"vouchers/{voucher['id']}/codes", customer_ids=[stays["id"]])
    note = await send(f"customers/{stays['id']}/notes", text="Gọi lại sau Tết")
    number = await send(f"customers/{stays['id']}/identities", kind="phone", value="0912345678")
    hold = await send("legal-holds", reason="Tranh chấp", **who)
    asked = await send("privacy-requests", kind="access", **who)
    undone = await people.undo(merge)
    assert things(undone) == {
        "review": [review["id"]],
        "voucher_code": [codes["data"][0]["id"]],
        "note": [note["id"]],
        "identity": [number["id"]],
        "legal_hold": [hold["id"]],
        "privacy_request": [asked["id"]],
    }


async def test_what_was_written_to_the_record_that_leaves_goes_with_it(people, send):
    stays, leaves = await people.make(name="An"), await people.make(name="Bo")
    merge = await people.merge(stays, leaves)
    await send("reviews", product_id="ao", rating=5, customer_id=leaves["id"])
    assert things(await people.undo(merge)) == {}


@pytest.mark.parametrize("spender", [0, 1])
async def test_points_that_one_spent_of_anothers_are_listed(people, send, programme, spender):
    both = [await people.make(name="An"), await people.make(name="Bo")]
    owner = both[1 - spender]["id"]
    await send("loyalty/adjustments", customer_id=owner, points=100, note="Chào mừng")
    merge = await people.merge(*both)
    spent = await send("loyalty/redemptions", customer_id=both[spender]["id"], points=40)
    planned = await people.undo(merge, dry_run=True)
    assert things(planned) == {"loyalty_redemption": [spent["id"]]}
    assert things(await people.undo(merge)) == things(planned)


async def test_points_that_were_given_back_are_no_question(people, send, programme):
    both = [await people.make(name="An"), await people.make(name="Bo")]
    await send("loyalty/adjustments", customer_id=both[1]["id"], points=100, note="Chào mừng")
    merge = await people.merge(*both)
    spent = await send("loyalty/redemptions", customer_id=both[0]["id"], points=40)
    await send(f"loyalty/redemptions/{spent['id']}/cancel")
    assert things(await people.undo(merge)) == {}
