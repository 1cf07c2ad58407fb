"""Points: earned, held back, spent, given back, expired; over the API."""

import asyncio
from collections import Counter
from uuid import UUID

import httpx
import pytest

from services.customer.loyalty.book import Book
from services.customer.loyalty.ledger_repository import OPEN_LOTS, LedgerRepository
from services.customer.loyalty.lots import Lot
from shared.contracts.gateway import StaffChanged, StaffState
from shared.ids import new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.loyalty.shop import Shop, vnd
from tests.support.plans import rows_read


@pytest.fixture
async def lan(shop: Shop) -> str:
    return await shop.customer()


@pytest.mark.capability(113)
async def test_orders_and_events_earn_by_rule_and_tier_and_a_refund_takes_back(
    shop: Shop, lan: str
) -> None:
    await shop.programme()
    await shop.order_rule(points=1, per=10_000)
    await shop.post("/v1/loyalty/rules", kind="event", event="review.written", points=30)
    await shop.post("/v1/loyalty/tiers", name="Vàng", threshold=100, multiplier_percent=150)

    await shop.order(lan, 1_009_999)
    assert await shop.points(lan) == (100, 0, 0)
    assert (await shop.account(lan))["tier"]["name"] == "Vàng"
    await shop.order(lan, 350_000, "HD-gold")
    assert await shop.points(lan) == (152, 0, 0)
    event = {"customer_id": lan, "event": "review.written", "reference": "review-1"}
    assert (await shop.post("/v1/loyalty/events", **event))["points"] == 30
    assert await shop.points(lan) == (182, 0, 0)

    await shop.order(
        lan, 350_000, "HD-gold", financial_status="partially_refunded", refunded=vnd(150_000)
    )
    assert await shop.points(lan) == (160, 0, 0)
    await shop.order(lan, 350_000, "HD-gold", financial_status="refunded", refunded=vnd(350_000))
    assert await shop.points(lan) == (130, 0, 0)
    moved = Counter()
    for entry in await shop.entries(lan):
        moved[entry["credit"]] += entry["points"]
        moved[entry["debit"]] -= entry["points"]
    assert moved["available"] == 130
    assert sum(moved.values()) == 0
    await shop.check(lan)


async def test_what_is_earned_waits_for_the_days_of_return(shop: Shop, lan: str) -> None:
    await shop.programme(hold_days=7)
    await shop.order_rule()
    await shop.order(lan, 500_000)
    assert await shop.points(lan) == (0, 50, 0)
    shop.clock.advance(days=7, hours=13)
    await shop.sweep()
    assert await shop.points(lan) == (0, 50, 0), "the last day of return is not over"
    shop.clock.advance(hours=1)
    await shop.sweep()
    assert await shop.points(lan) == (50, 0, 0)
    await shop.sweep()
    assert [entry["kind"] for entry in await shop.entries(lan)] == ["mature", "earn"]
    await shop.check(lan)


async def test_the_days_of_return_begin_with_the_last_payment(shop: Shop, lan: str) -> None:
    await shop.programme(hold_days=7, expires_after_months=1)
    await shop.order_rule()
    placed = {"financial_status": "pending", "changed_at": "2026-12-20T03:00:00Z"}
    order = await shop.order(lan, 500_000, "1", **placed)
    half = {"amount": vnd(250_000)}
    payments = f"/v1/orders/{order['id']}/payments"
    await shop.post(payments, external_id="1", paid_at="2026-12-21T03:00:00Z", **half)
    await shop.post(payments, external_id="2", **half)
    assert await shop.points(lan) == (0, 50, 0)
    shop.clock.advance(days=8)
    assert await shop.points(lan) == (50, 0, 0)
    await shop.check(lan)


async def test_what_is_paid_before_it_is_told_waits_from_that_day(shop: Shop, lan: str) -> None:
    await shop.programme(hold_days=7)
    await shop.order_rule()
    at = {"changed_at": "2026-12-20T03:00:00Z"}
    paid = [{"external_id": "1", "amount": vnd(500_000), "paid_at": "2026-12-21T03:00:00Z"}]
    await shop.order(lan, 500_000, financial_status="pending", payments=paid, **at)
    assert await shop.points(lan) == (50, 0, 0)


async def test_what_is_due_can_be_spent_before_any_sweep(shop: Shop, lan: str) -> None:
    await shop.programme(hold_days=1)
    await shop.order_rule()
    await shop.order(lan, 100_000)
    assert await shop.refused("/v1/loyalty/redemptions", customer_id=lan, points=10) == (
        409,
        "insufficient_points",
    )
    shop.clock.advance(days=2)
    await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=10)
    assert await shop.points(lan) == (0, 0, 0)
    await shop.check(lan)


async def test_an_unpaid_order_earns_when_it_is_paid_and_loses_when_it_is_cancelled(
    shop: Shop, lan: str
) -> None:
    await shop.programme()
    await shop.order_rule()
    await shop.order(lan, 200_000, "1", financial_status="pending")
    assert await shop.points(lan) == (0, 0, 0)
    await shop.order(lan, 200_000, "1")
    await shop.order(lan, 200_000, "1")
    assert await shop.points(lan) == (20, 0, 0)
    await shop.order(lan, 200_000, "1", status="cancelled")
    assert await shop.points(lan) == (0, 0, 0)
    await shop.order(lan, 200_000, "1", status="open")
    assert await shop.points(lan) == (20, 0, 0)
    await shop.check(lan)


async def test_an_order_that_was_somebody_elses_earns_for_whose_it_is(shop: Shop, lan: str) -> None:
    mai = await shop.customer("Mai")
    await shop.programme()
    await shop.order_rule()
    await shop.order(lan, 200_000, "1")
    await shop.order(mai, 200_000, "1")
    assert await shop.points(lan) == (0, 0, 0)
    assert await shop.points(mai) == (20, 0, 0)
    await shop.check(lan, mai)


async def test_other_money_earlier_orders_and_a_paused_programme_earn_nothing(
    shop: Shop, lan: str
) -> None:
    await shop.programme()
    await shop.order_rule()
    await shop.order(lan, 200_000, placed_at="2027-02-01T00:00:00Z")
    dollars = {"amount": "500.00", "currency": "USD"}
    await shop.post(
        "/v1/orders", customer_id=lan, external_id="$", financial_status="paid", total=dollars
    )
    await shop.programme(active=False)
    await shop.order(lan, 200_000)
    assert await shop.points(lan) == (0, 0, 0)
    assert await shop.refused("/v1/loyalty/redemptions", customer_id=lan, points=1) == (
        409,
        "no_loyalty_programme",
    )


async def test_an_order_that_turns_out_to_be_of_other_money_has_earned_nothing(
    shop: Shop, lan: str
) -> None:
    await shop.programme(tier_basis="spend")
    await shop.order_rule()
    await shop.post("/v1/loyalty/tiers", name="Vàng", threshold=1_000_000)
    await shop.order(lan, 100_000, "1")
    dollars = {"amount": "99999.00", "currency": "USD"}
    await shop.post(
        "/v1/orders", customer_id=lan, external_id="1", financial_status="paid", total=dollars
    )
    assert await shop.points(lan) == (0, 0, 0)
    assert (await shop.account(lan))["tier"] is None
    await shop.order(lan, 100_000, "1")
    assert await shop.points(lan) == (10, 0, 0)
    await shop.check(lan)


async def test_a_shop_without_a_programme_takes_orders(shop: Shop, lan: str) -> None:
    await shop.order(lan, 200_000)
    answer = await shop.send("GET", f"/v1/loyalty/accounts/{lan}")
    assert (answer.status_code, answer.json()["code"]) == (404, "loyalty_programme_not_found")


async def test_rules_hold_in_their_time_and_what_was_earned_stays(shop: Shop, lan: str) -> None:
    await shop.programme()
    rule = await shop.order_rule()
    await shop.order_rule(
        points=5, starts_at="2027-03-02T00:00:00Z", ends_at="2027-03-03T00:00:00Z"
    )
    await shop.order(lan, 100_000, "1")
    await shop.send("PATCH", f"/v1/loyalty/rules/{rule['id']}", json={"points": 2})
    await shop.order(lan, 100_000, "2")
    assert await shop.points(lan) == (30, 0, 0)
    shop.clock.advance(days=1)
    await shop.order(lan, 100_000, "3")
    assert await shop.points(lan) == (100, 0, 0)
    # By the rule of its day, not by today's.
    await shop.order(
        lan,
        100_000,
        "1",
        financial_status="partially_refunded",
        refunded=vnd(50_000),
        placed_at="2027-03-01T03:00:00Z",
    )
    assert await shop.points(lan) == (95, 0, 0)


async def test_an_event_earns_once_for_its_reference_and_up_to_its_limit(
    shop: Shop, lan: str
) -> None:
    await shop.programme()
    await shop.post(
        "/v1/loyalty/rules", kind="event", event="checked_in", points=5, limit_per_customer=2
    )

    async def told(reference: str) -> int:
        body = {"customer_id": lan, "event": "checked_in", "reference": reference}
        points: int = (await shop.post("/v1/loyalty/events", **body))["points"]
        return points

    assert await asyncio.gather(*(told("a") for _ in range(5))) == [5] * 5
    assert await shop.points(lan) == (5, 0, 0)
    assert sorted(await asyncio.gather(*(told(name) for name in "bcde"))) == [0, 0, 0, 5]
    assert await shop.points(lan) == (10, 0, 0)
    await shop.check(lan)


async def test_an_event_that_has_earned_for_somebody_earns_nothing_for_another(
    shop: Shop, lan: str
) -> None:
    mai, again = await shop.customer("Mai"), await shop.customer("Lan 2")
    await shop.programme()
    await shop.post(
        "/v1/loyalty/rules", kind="event", event="checked_in", points=5, limit_per_customer=1
    )

    async def told(customer_id: str, reference: str) -> tuple[str, int, bool]:
        body = {"customer_id": customer_id, "event": "checked_in", "reference": reference}
        answer = await shop.post("/v1/loyalty/events", **body)
        return answer["customer_id"], answer["points"], answer["available_at"] is not None

    assert await told(lan, "a") == (lan, 5, True)
    assert await told(mai, "a") == (mai, 0, False)
    assert await shop.points(mai) == (0, 0, 0)
    await shop.merge(again, into=lan)
    assert await told(again, "a") == (again, 5, True), "the same person"
    assert await shop.points(lan) == (5, 0, 0)


async def test_what_somebody_else_has_had_of_a_rule_counts_for_no_limit(
    shop: Shop, lan: str
) -> None:
    mai = await shop.customer("Mai")
    await shop.programme()

    async def told(customer_id: str, reference: str) -> int:
        body = {"customer_id": customer_id, "event": "checked_in", "reference": reference}
        points: int = (await shop.post("/v1/loyalty/events", **body))["points"]
        return points

    rule = {"kind": "event", "event": "checked_in", "limit_per_customer": 1}
    await shop.post("/v1/loyalty/rules", **rule, points=5)
    assert await told(lan, "a") == 5
    await shop.post("/v1/loyalty/rules", **rule, points=7)
    assert await told(lan, "b") == 7
    assert await told(mai, "a") == 7


@pytest.mark.capability(114)
async def test_two_hundred_at_once_spend_what_there_is_and_not_a_point_more(
    shop: Shop, lan: str
) -> None:
    await shop.programme()
    for points in (300, 500, 197):
        await shop.give(lan, points)
    async with shop.client() as client:

        async def redeem() -> httpx.Response:
            while True:
                body = {"customer_id": lan, "points": 10}
                answer = await client.post("/v1/loyalty/redemptions", json=body)
                # More than a machine takes at a time are told to come again.
                if answer.status_code != 503:
                    return answer

        answers = await asyncio.gather(*(redeem() for _ in range(200)))
    assert Counter(answer.status_code for answer in answers) == {201: 99, 409: 101}
    refusals = {answer.json()["code"] for answer in answers if answer.status_code == 409}
    assert refusals == {"insufficient_points"}
    left = sorted(answer.json()["available"] for answer in answers if answer.status_code == 201)
    assert left == list(range(7, 997, 10))
    assert await shop.points(lan) == (7, 0, 0)
    await shop.check(lan)


async def test_spending_earning_and_giving_back_at_once_add_up(shop: Shop, lan: str) -> None:
    await shop.programme()
    await shop.order_rule()
    orders = [await shop.order(lan, 100_000, f"old-{n}") for n in range(10)]
    assert len(orders) == 10
    async with shop.client() as client:

        def order(number: str, **fields):
            body = {
                "customer_id": lan,
                "external_id": number,
                "total": vnd(100_000),
                "financial_status": "paid",
                **fields,
            }
            return client.post("/v1/orders", json=body)

        refund = {"financial_status": "refunded", "refunded": vnd(100_000)}
        answers = await asyncio.gather(
            *(order(f"old-{n}", **refund) for n in range(10)),
            *(order(f"new-{n}") for n in range(10)),
            *(
                client.post("/v1/loyalty/redemptions", json={"customer_id": lan, "points": 5})
                for _ in range(40)
            ),
        )
    assert {answer.status_code for answer in answers} <= {200, 201, 409}
    spent = 5 * sum(answer.status_code == 201 for answer in answers[20:])
    available, pending, owed = await shop.points(lan)
    assert available >= 0
    assert available + pending - owed == 100 - spent
    await shop.check(lan)


async def test_what_was_spent_before_the_refund_is_owed_and_paid_from_what_comes(
    shop: Shop, lan: str
) -> None:
    await shop.programme()
    await shop.order_rule()
    await shop.order(lan, 1_000_000, "1")
    await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=90)
    await shop.order(lan, 1_000_000, "1", status="cancelled")
    assert await shop.points(lan) == (0, 0, 90)
    await shop.order(lan, 600_000, "2")
    assert await shop.points(lan) == (0, 0, 30)
    await shop.order(lan, 500_000, "3")
    assert await shop.points(lan) == (20, 0, 0)
    await shop.check(lan)


async def test_what_was_spent_before_the_refund_is_taken_from_the_rest(
    shop: Shop, lan: str
) -> None:
    await shop.programme()
    await shop.order_rule()
    await shop.order(lan, 300_000, "1")
    await shop.order(lan, 500_000, "2")
    await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=30)
    await shop.order(lan, 300_000, "1", status="cancelled")
    assert await shop.points(lan) == (20, 0, 0)
    await shop.check(lan)


async def test_points_expire_with_the_day_and_the_oldest_are_spent_first(
    shop: Shop, lan: str
) -> None:
    await shop.programme(expires_after_months=1)
    await shop.give(lan, 100)
    shop.clock.advance(days=10)
    await shop.give(lan, 50)
    await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=30)
    account = await shop.account(lan)
    # The day after the first of April begins in Vietnam.
    assert account["next_expiry"] == {"points": 70, "at": "2027-04-01T17:00:00Z"}
    shop.clock.advance(days=22)
    assert await shop.refused("/v1/loyalty/redemptions", customer_id=lan, points=51) == (
        409,
        "insufficient_points",
    )
    await shop.sweep()
    assert await shop.points(lan) == (50, 0, 0)
    await shop.check(lan)


async def test_a_refund_of_what_has_expired_costs_nothing(shop: Shop, lan: str) -> None:
    await shop.programme(expires_after_months=1)
    await shop.order_rule()
    await shop.order(lan, 100_000, "1")
    shop.clock.advance(days=40)
    await shop.sweep()
    await shop.order(lan, 100_000, "1", status="cancelled")
    assert await shop.points(lan) == (0, 0, 0)
    await shop.check(lan)


async def test_a_cancelled_redemption_gives_back_once(shop: Shop, lan: str) -> None:
    await shop.programme()
    await shop.give(lan, 20)
    await shop.give(lan, 20)
    redemption = await shop.post(
        "/v1/loyalty/redemptions", customer_id=lan, points=30, reference="HD-7"
    )
    assert (redemption["value"], redemption["available"]) == (vnd(3_000), 10)
    path = f"/v1/loyalty/redemptions/{redemption['id']}"
    cancelled = await asyncio.gather(*(shop.post(f"{path}/cancel") for _ in range(4)))
    assert {(c["status"], c["available"]) for c in cancelled} == {("cancelled", 40)}
    assert (await shop.get(path))["status"] == "cancelled"
    await shop.check(lan)


async def test_what_comes_back_pays_what_its_order_left_owed_though_its_time_is_over(
    shop: Shop, lan: str
) -> None:
    await shop.programme(expires_after_months=1)
    await shop.order_rule()
    await shop.order(lan, 1_000_000, "1")
    redemption = await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=100)
    await shop.order(
        lan, 1_000_000, "1", financial_status="partially_refunded", refunded=vnd(700_000)
    )
    assert await shop.points(lan) == (0, 0, 70)
    shop.clock.advance(days=40)
    await shop.sweep()
    await shop.post(f"/v1/loyalty/redemptions/{redemption['id']}/cancel")
    assert await shop.points(lan) == (0, 0, 0)
    moved = [(entry["kind"], entry["points"]) for entry in await shop.entries(lan)]
    assert sorted(moved[:3]) == [("expire", 30), ("restore", 30), ("restore", 70)]
    await shop.check(lan)


async def test_staff_give_and_take_by_hand_with_a_reason(shop: Shop, lan: str) -> None:
    await shop.programme()
    await shop.give(lan, 10)
    body = {"customer_id": lan, "note": "Nhầm"}
    assert (await shop.refused("/v1/loyalty/adjustments", points=-11, **body))[0] == 409
    await shop.post("/v1/loyalty/adjustments", points=-4, **body)
    assert await shop.points(lan) == (6, 0, 0)
    assert [(e["change"], e["note"]) for e in await shop.entries(lan)] == [
        (-4, "Nhầm"),
        (10, "Quà"),
    ]
    assert (await shop.refused("/v1/loyalty/adjustments", points=0, **body))[0] == 422
    timeline = (await shop.get(f"/v1/customers/{lan}/timeline"))["data"]
    assert timeline[0]["type"] == "loyalty.adjusted"
    await shop.check(lan)


async def test_the_balance_of_a_long_history_reads_what_is_left(
    shop: Shop, lan: str, database_url: str
) -> None:
    await shop.programme()
    customer_id, now = UUID(lan), shop.clock.now()
    book = Book([], roots={customer_id: customer_id}, now=now)
    for n in range(1_000):
        lot = Lot(
            id=new_id(),
            customer_id=customer_id,
            kind="event",
            cause=f"day {n}",
            earned_at=now,
            available_at=now,
        )
        book.grant(lot, 2)
    book.spend(customer_id, 1_997, kind="redeem")
    async with shop.service.context.units.begin(shop.tenant) as uow:
        await LedgerRepository(uow).save(book)
        await uow.commit()
    assert await shop.points(lan) == (3, 0, 0)
    await shop.check(lan)
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop.tenant,
        table="loyalty_lot",
        statement=OPEN_LOTS,
        parameters={"tenant": shop.tenant, "members": [customer_id]},
    )
    assert read == 2


async def test_the_least_that_can_be_spent_is_the_programmes(shop: Shop, lan: str) -> None:
    await shop.programme(min_redemption=100)
    await shop.give(lan, 500)
    assert await shop.refused("/v1/loyalty/redemptions", customer_id=lan, points=99) == (
        409,
        "redemption_too_small",
    )


async def test_the_statement_is_read_page_by_page(shop: Shop, lan: str) -> None:
    await shop.programme()
    for points in range(1, 8):
        await shop.give(lan, points)
    path, cursor, seen = f"/v1/loyalty/accounts/{lan}/entries", None, []
    while True:
        params = {"limit": 3, **({"cursor": cursor} if cursor else {})}
        page = await shop.get(path, **params)
        seen += [entry["points"] for entry in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == [7, 6, 5, 4, 3, 2, 1]
    assert await shop.entries(lan, kind="redeem,expire") == []


class TestFamilies:
    async def test_records_of_one_person_have_one_account_and_part_again(
        self, shop: Shop, lan: str
    ) -> None:
        other = await shop.customer("Lan Nguyễn")
        await shop.programme()
        await shop.give(lan, 30)
        await shop.give(other, 50)
        await shop.merge(other, into=lan)
        for record in (lan, other):
            account = await shop.account(record)
            assert (account["customer_id"], account["available"]) == (lan, 80)
        await shop.post("/v1/loyalty/redemptions", customer_id=other, points=70)
        assert len(await shop.entries(lan, kind="redeem")) == 2
        await shop.unmerge(other)
        assert await shop.points(lan) == (0, 0, 0)
        assert await shop.points(other) == (10, 0, 0)
        await shop.check(lan, other)

    async def test_one_record_pays_what_another_of_the_person_owes(
        self, shop: Shop, lan: str
    ) -> None:
        other = await shop.customer("Lan Nguyễn")
        await shop.programme()
        await shop.order_rule()
        await shop.order(lan, 500_000, "1")
        await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=50)
        await shop.order(lan, 500_000, "1", status="cancelled")
        await shop.merge(other, into=lan)
        await shop.order(other, 600_000, "2")
        assert await shop.points(lan) == (10, 0, 0)
        await shop.unmerge(other)
        assert await shop.points(lan) == (0, 0, 0)
        assert await shop.points(other) == (10, 0, 0)
        await shop.check(lan, other)

    async def test_what_is_given_back_to_who_has_parted_pays_what_they_owe(
        self, shop: Shop, lan: str
    ) -> None:
        other = await shop.customer("Lan Nguyễn")
        await shop.programme()
        await shop.order_rule()
        await shop.give(other, 100)
        await shop.merge(other, into=lan)
        redeem = {"customer_id": lan, "points": 100}
        redemption = await shop.post("/v1/loyalty/redemptions", **redeem)
        await shop.unmerge(other)
        await shop.order(other, 130_000, "1")
        await shop.post("/v1/loyalty/redemptions", customer_id=other, points=13)
        await shop.order(other, 130_000, "1", status="cancelled")
        assert await shop.points(other) == (0, 0, 13)
        await shop.post(f"/v1/loyalty/redemptions/{redemption['id']}/cancel")
        assert await shop.points(other) == (87, 0, 0)
        await shop.check(lan, other)
        [told] = await shop.service.told(shop.tenant, "customer.points_restored")
        assert told["movement"]["customer_id"] == other
        assert told["movement"]["balance"] == {"available": 87, "pending": 0, "owed": 0}

    async def test_what_one_record_owed_before_the_merge_is_paid_before_anything_is_spent(
        self, shop: Shop, lan: str
    ) -> None:
        other = await shop.customer("Lan Nguyễn")
        await shop.programme(hold_days=1)
        await shop.order_rule()
        await shop.give(lan, 13)
        await shop.order(lan, 130_000, "1")
        shop.clock.advance(days=3)
        await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=26)
        await shop.order(lan, 130_000, "1", status="cancelled")
        await shop.give(other, 50)
        await shop.merge(other, into=lan)
        assert await shop.points(other) == (37, 0, 0)
        redeem = {"customer_id": other, "points": 38}
        assert (await shop.refused("/v1/loyalty/redemptions", **redeem))[0] == 409
        await shop.unmerge(other)
        assert (await shop.points(lan), await shop.points(other)) == ((0, 0, 13), (50, 0, 0))
        await shop.merge(other, into=lan)
        await shop.order(lan, 200_000, "2")
        [*_, earned] = await shop.service.told(shop.tenant, "customer.points_earned")
        assert earned["movement"]["balance"] == {"available": 37, "pending": 20, "owed": 0}
        await shop.post("/v1/loyalty/redemptions", **redeem | {"points": 37})
        assert await shop.points(lan) == (0, 20, 0)
        await shop.check(lan, other)

    async def test_records_of_one_person_spend_at_once_without_waiting_for_ever(
        self, shop: Shop, lan: str
    ) -> None:
        other = await shop.customer("Lan Nguyễn")
        await shop.programme()
        await shop.order_rule()
        await shop.give(lan, 100)
        await shop.give(other, 100)
        await shop.merge(other, into=lan)
        async with shop.client() as client:
            answers = await asyncio.gather(
                *(
                    client.post(
                        "/v1/loyalty/redemptions", json={"customer_id": record, "points": 10}
                    )
                    for record in (lan, other) * 15
                ),
                *(
                    client.post(
                        "/v1/orders",
                        json={
                            "customer_id": record,
                            "external_id": f"{record}-{n}",
                            "total": vnd(9_000),
                            "financial_status": "paid",
                        },
                    )
                    for record in (lan, other)
                    for n in range(10)
                ),
            )
        assert Counter(a.status_code for a in answers) == {201: 40, 409: 10}
        assert await shop.points(lan) == (0, 0, 0)
        await shop.check(lan, other)


class TestWhoMaySee:
    async def test_a_shopper_sees_their_own_and_nobody_elses(self, shop: Shop, lan: str) -> None:
        mai = await shop.customer("Mai")
        await shop.programme()
        await shop.give(lan, 10)
        async with shop.shopper(lan) as shopper:
            own = await shopper.get(f"/v1/loyalty/accounts/{lan}")
            assert (own.status_code, own.json()["available"]) == (200, 10)
            entries = await shopper.get(f"/v1/loyalty/accounts/{lan}/entries")
            assert len(entries.json()["data"]) == 1
            assert (await shopper.get("/v1/loyalty/programme")).status_code == 200
            for path in (f"accounts/{mai}", f"accounts/{mai}/entries", f"accounts/{new_id()}"):
                assert (await shopper.get(f"/v1/loyalty/{path}")).status_code == 404
            body = {"customer_id": lan, "points": 1}
            assert (await shopper.post("/v1/loyalty/redemptions", json=body)).status_code == 403

    async def test_staff_who_see_their_own_customers_move_no_others_points(
        self, shop: Shop, lan: str
    ) -> None:
        await shop.programme()
        await shop.give(lan, 10)
        redemption = await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=1)
        owner = new_id()
        state = StaffState(staff_id=owner, name="Bình", email="binh@shop.vn", role="agent")
        await shop.service.receive(shop.tenant, "gateway", [(owner, StaffChanged(staff=state))])
        owned = await shop.send("PATCH", f"/v1/customers/{lan}", json={"owner_id": str(owner)})
        assert owned.status_code == 200, owned.text
        staff = {"kind": PrincipalKind.STAFF, "visibility": Visibility.OWN}
        async with shop.client(**staff, actor_id=str(new_id())) as stranger:
            assert (await stranger.get(f"/v1/loyalty/accounts/{lan}")).status_code == 404
            path = f"/v1/loyalty/redemptions/{redemption['id']}"
            assert (await stranger.get(path)).status_code == 404
            assert (await stranger.post(f"{path}/cancel")).status_code == 404
            body = {"customer_id": lan, "points": 1}
            assert (await stranger.post("/v1/loyalty/redemptions", json=body)).status_code == 404

    async def test_another_shop_sees_nothing(self, shop: Shop, lan: str, open_shop) -> None:
        await shop.programme()
        await shop.give(lan, 10)
        other = Shop(shop.service, shop.clock, await open_shop())
        await other.programme()
        assert (await other.send("GET", f"/v1/loyalty/accounts/{lan}")).status_code == 404


async def test_amounts_at_the_edge_of_what_there_is_are_taken(shop: Shop, lan: str) -> None:
    await shop.programme(point_value=vnd(1_000_000), tier_basis="spend")
    await shop.order_rule(points=1_000_000_000, per=1)
    await shop.post("/v1/loyalty/tiers", name="VIP", threshold=2**63 - 1)
    await shop.order(lan, 10**15)
    account = await shop.account(lan)
    assert (account["available"], account["value"]) == (1_000_000_000, vnd(10**15))
    body = {"name": "X", "point_value": vnd(1_000_001)}
    refused = await shop.send("PUT", "/v1/loyalty/programme", json=body)
    assert refused.status_code == 422


async def test_a_redemption_stands_in_the_audit_log_once(shop: Shop, lan: str) -> None:
    await shop.programme()
    await shop.give(lan, 10)
    redemption = await shop.post("/v1/loyalty/redemptions", customer_id=lan, points=1)
    told = await shop.service.told(shop.tenant, "audit.recorded")
    actions = [
        record["action"]
        for event in told
        for record in event["records"]
        if redemption["id"] in {subject["id"] for subject in record["subjects"]}
    ]
    assert actions == ["loyalty.redeem"]
