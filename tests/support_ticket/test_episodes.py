"""Resolving, reopening, and what each round of a ticket keeps for itself."""

import pytest

from tests.support_ticket.clock import TestClock, local
from tests.support_ticket.shop import Shop


@pytest.mark.capability(62)
@pytest.mark.capability(63)
async def test_a_resolution_keeps_kind_amount_result_and_reason_and_adds_up(shop: Shop) -> None:
    refund = {
        "kind": "refund",
        "amount": {"amount": "1250000", "currency": "VND"},
        "result": "negative",
        "reason": "Khách không hài lòng với chất lượng",
    }
    ticket = await shop.ticket(type="refund")
    resolved = await shop.resolve(ticket["id"], **refund)
    assert {name: resolved[name] for name in refund} == refund
    assert await shop.get(f"/v1/tickets/{ticket['id']}/resolution") == resolved
    for amount in ("250000", "500000"):
        other = await shop.ticket()
        await shop.resolve(other["id"], kind="refund", amount={"amount": amount, "currency": "VND"})
    await shop.resolve((await shop.ticket())["id"], kind="guide")
    totals = await shop.get(
        "/v1/ticket-reports/resolutions?since=2027-03-01T00:00:00Z&until=2027-03-02T00:00:00Z"
    )
    assert [(t["kind"], t["result"], t["count"], t["amount"]) for t in totals["data"]] == [
        ("guide", "positive", 1, None),
        ("refund", "negative", 1, {"amount": "1250000", "currency": "VND"}),
        ("refund", "positive", 2, {"amount": "750000", "currency": "VND"}),
    ]
    for since, until, count in (
        ("2027-03-01T03:00:00Z", "2027-03-01T03:00:01Z", 4),
        ("2027-03-01T00:00:00Z", "2027-03-01T03:00:00Z", 0),
        ("2027-03-01T03:00:01Z", "2027-03-02T00:00:00Z", 0),
    ):
        period = await shop.get(f"/v1/ticket-reports/resolutions?since={since}&until={until}")
        assert sum(total["count"] for total in period["data"]) == count


@pytest.mark.parametrize(
    "amount",
    [
        {"amount": "12.5", "currency": "VND"},
        {"amount": "-5", "currency": "VND"},
        {"amount": 5, "currency": "VND"},
        {"amount": "5", "currency": "XXX"},
    ],
)
async def test_an_amount_that_is_no_money_is_refused(shop: Shop, amount: dict) -> None:
    ticket = await shop.ticket()
    await shop.post(
        f"/v1/tickets/{ticket['id']}/resolution", {"kind": "refund", "amount": amount}, 422
    )
    async with shop.api() as api:
        response = await api.get(f"/v1/tickets/{ticket['id']}/resolution")
        assert response.json()["code"] == "resolution_not_found"


async def test_resolving_is_told_once_with_the_state(shop: Shop) -> None:
    ticket = await shop.ticket()
    await shop.resolve(ticket["id"], kind="exchange")
    (told,) = await shop.told("support_ticket.ticket_resolved")
    assert told["ticket"]["status"] == "resolved"
    assert told["ticket"]["resolution"] == "exchange"
    assert told["ticket"]["resolved_at"] == "2027-03-01T03:00:00Z"


@pytest.mark.capability(66)
async def test_a_customer_who_writes_again_soon_reopens_the_closed_ticket(
    shop: Shop, clock: TestClock
) -> None:
    customer = await shop.knows()
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    path = f"/v1/tickets/{ticket['id']}"
    await shop.resolve(ticket["id"])
    await shop.post(f"{path}/transitions", {"to": "closed"}, 200)
    clock.advance(days=13)
    async with shop.shopper(customer) as shopper:
        response = await shopper.post(f"{path}/replies", json={"text": "Lại rò rồi"})
    assert response.status_code == 201
    assert response.json()["episode"] == 2
    reopened = await shop.get(path)
    assert (reopened["status"], reopened["reopened_count"]) == ("open", 1)
    assert (reopened["resolved_at"], reopened["closed_at"]) == (None, None)
    counts = await shop.get("/v1/care-loop-counts")
    assert counts["reopened"] == 1


async def test_after_too_long_a_customer_opens_a_new_ticket(shop: Shop, clock: TestClock) -> None:
    customer = await shop.knows()
    ticket = await shop.ticket(requester={"customer_id": str(customer)})
    await shop.resolve(ticket["id"])
    clock.advance(days=14, seconds=1)
    async with shop.shopper(customer) as shopper:
        response = await shopper.post(
            f"/v1/tickets/{ticket['id']}/replies", json={"text": "Lại rò rồi"}
        )
    assert response.status_code == 409
    assert response.json()["code"] == "ticket_has_ended"
    assert (await shop.get(f"/v1/tickets/{ticket['id']}"))["status"] == "resolved"


@pytest.mark.capability(143)
async def test_a_reopened_ticket_has_a_round_of_its_own_and_the_first_stays_as_it_was(
    shop: Shop, clock: TestClock
) -> None:
    agent = await shop.hires("Lan")
    customer = await shop.knows(email="duc@example.com")
    ticket = await shop.ticket(urgency="critical", requester={"customer_id": str(customer)})
    path = f"/v1/tickets/{ticket['id']}"
    await shop.post(f"{path}/replies", {"text": "Dạ"}, 201)
    await shop.resolve(ticket["id"], kind="refund")
    (first,) = (await shop.get(f"{path}/episodes"))["data"]
    clock.set(local("2027-03-02T09:00"))
    await shop.post(f"{path}/transitions", {"to": "open"}, 200)
    reopened = await shop.get(path)
    assert reopened["first_response_due_at"] == "2027-03-02T02:30:00Z"
    assert reopened["resolution_due_at"] == "2027-03-02T06:00:00Z"
    assert reopened["first_responded_at"] is None
    clock.advance(hours=1)
    await shop.post(f"{path}/replies", {"text": "Dạ lần hai"}, 201)
    await shop.resolve(ticket["id"], kind="exchange")
    one, two = (await shop.get(f"{path}/episodes"))["data"]
    assert one == first
    assert (one["reason"], one["resolution"]) == ("created", "refund")
    assert (two["reason"], two["resolution"]) == ("reopened", "exchange")
    assert two["first_responded_at"] == "2027-03-02T03:00:00Z"
    assert two["assignee_id"] == str(agent)
    surveys = (await shop.get(f"/v1/surveys?ticket_id={ticket['id']}"))["data"]
    assert [s["episode"] for s in surveys] == [2, 1]


async def test_a_reopened_ticket_does_not_go_back_to_somebody_who_left(shop: Shop) -> None:
    agent = await shop.hires("Lan")
    ticket = await shop.ticket()
    assert ticket["assignee_id"] == str(agent)
    await shop.resolve(ticket["id"])
    await shop.hires("Lan", staff_id=agent, active=False, version=2)
    reopened = await shop.post(f"/v1/tickets/{ticket['id']}/transitions", {"to": "open"}, 200)
    assert reopened["assignee_id"] is None


async def test_an_answer_can_reopen_and_is_the_first_response_of_the_new_round(
    shop: Shop,
) -> None:
    ticket = await shop.ticket()
    path = f"/v1/tickets/{ticket['id']}"
    await shop.resolve(ticket["id"])
    await shop.post(f"{path}/replies", {"text": "Thêm một việc", "status": "on_hold"}, 409)
    await shop.post(f"{path}/replies", {"text": "Thêm một việc", "status": "open"}, 201)
    reopened = await shop.get(path)
    assert (reopened["episode"], reopened["status"]) == (2, "open")
    assert reopened["first_responded_at"] is not None
