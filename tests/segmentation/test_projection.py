"""The facts that events leave behind."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from shared.ids import new_id
from shared.stream.envelope import Envelope
from tests.segmentation.shop import (
    START,
    Shop,
    Told,
    customer,
    message,
    order,
    survey,
    ticket,
)


async def figures(shop: Shop, *names: str) -> tuple[Any, ...]:
    [row] = await shop.rows(
        f"SELECT {', '.join(names)} FROM segmentation.profile WHERE tenant_id = :tenant"
    )
    return row


async def everything(shop: Shop) -> list[list[tuple[Any, ...]]]:
    """All facts, memberships and what was told of them."""
    tables = ("profile", "order_fact", "ticket_fact", "message_fact", "membership")
    listed = [
        sorted(
            await shop.rows(f"SELECT * FROM segmentation.{table} WHERE tenant_id = :tenant"),
            key=repr,
        )
        for table in tables
    ]
    return [*listed, [tuple(move) for move in await shop.moves()]]


async def test_what_was_given_back_beyond_an_order_is_not_taken_from_the_others(shop: Shop):
    who, known = customer()
    await shop.hear(
        (who, known),
        order(who, total_minor=300_000),
        order(
            who, total_minor=200_000, refunded_minor=250_000, financial_status="partially_refunded"
        ),
    )

    assert await figures(shop, "total_spent_minor", "paid_orders_count") == (300_000, 2)


async def test_order_figures_count_what_was_not_cancelled(shop: Shop):
    who, known = customer()
    await shop.hear(
        (who, known),
        order(who, total_minor=300_000, placed_at=START - timedelta(days=9)),
        order(
            who, total_minor=200_000, refunded_minor=50_000, financial_status="partially_refunded"
        ),
        order(who, total_minor=900_000, financial_status="pending"),
        order(who, total_minor=100_000, status="cancelled", placed_at=START - timedelta(days=99)),
        order(who, total_minor=100_000, financial_status="voided"),
        order(who, total_minor=70, currency="USD"),
    )

    assert await figures(shop, "orders_count", "paid_orders_count") == (4, 3)
    assert await figures(shop, "total_spent_minor", "currency") == (450_000, "VND")
    assert await figures(shop, "first_order_at", "last_order_at") == (
        START - timedelta(days=9),
        START,
    )


async def test_who_was_removed_is_in_no_segment_until_they_are_heard_of_again(shop: Shop):
    who, known = customer()
    await shop.hear((who, known))
    await shop.add_segment("everybody", {"field": "profile.orders_count", "op": "lt", "value": 1})
    await shop.finish_runs()
    assert await shop.members("everybody") == {who}
    await shop.hear(customer(who, version=2, removed=True))
    assert await shop.members("everybody") == set()
    path = f"/v1/segments/{(await shop.segment('everybody'))['id']}/history"
    [left, _] = (await shop.get(path, customer_id=str(who)))["data"]
    assert (left["change"], left["reason"]) == ("left", "customer_removed")
    await shop.hear(customer(who, version=3))
    assert await shop.members("everybody") == {who}


@pytest.mark.parametrize(
    ("currencies", "spent"),
    [
        (["USD", "USD"], (140, "USD")),
        (["USD", "VND"], (70, "VND")),
        (["USD", "EUR"], (0, "XXX")),
        ([], (0, None)),
    ],
)
async def test_what_was_spent_is_of_one_currency(shop: Shop, currencies, spent):
    who, known = customer()
    bought = [order(who, total_minor=70, currency=currency) for currency in currencies]
    await shop.hear((who, known), *bought)
    assert await figures(shop, "total_spent_minor", "currency") == spent


async def test_a_sum_beyond_measure_is_kept_at_the_most(shop: Shop):
    who, known = customer()

    await shop.hear((who, known), *(order(who, total_minor=2**63 - 1) for _ in range(2)))

    assert await figures(shop, "orders_count", "total_spent_minor") == (2, 2**63 - 1)


async def test_a_cancelled_order_is_taken_out_of_the_figures(shop: Shop):
    who, known = customer()
    order_id = new_id()
    await shop.hear((who, known), order(who, order_id=order_id))

    await shop.hear(order(who, order_id=order_id, version=2, status="cancelled"))

    assert await figures(shop, "orders_count", "total_spent_minor", "currency") == (0, 0, None)
    assert await figures(shop, "first_order_at", "last_order_at") == (None, None)


async def test_an_order_that_turns_out_to_be_somebody_elses_counts_for_them(shop: Shop):
    first, second = customer(), customer()
    order_id = new_id()
    await shop.hear(first, second, order(first[0], order_id=order_id))

    await shop.hear(order(second[0], order_id=order_id, version=2))

    counted = await shop.rows(
        "SELECT customer_id, orders_count FROM segmentation.profile WHERE tenant_id = :tenant"
    )
    assert dict(counted) == {first[0]: 0, second[0]: 1}
    assert await shop.members("new_customers") == {second[0]}


async def test_ticket_figures(shop: Shop):
    who, known = customer()
    await shop.hear((who, known))
    await shop.hear(
        ticket(who, type="complaint"),
        ticket(who, type="question", status="pending_customer"),
        ticket(who, type="complaint", status="closed", opened_at=START + timedelta(hours=1)),
        survey(who, 5, status="resolved", answered_at=START + timedelta(days=2)),
        survey(who, 1, status="resolved", answered_at=START + timedelta(days=1)),
        source="support_ticket",
    )

    names = ("tickets_count", "open_tickets_count", "open_complaints_count", "last_csat")
    assert await figures(shop, *names) == (5, 2, 1, 5)
    assert await figures(shop, "last_csat_at", "last_ticket_at") == (
        START + timedelta(days=2),
        START + timedelta(hours=1),
    )


async def test_a_ticket_told_again_was_not_scored_again(shop: Shop):
    who, known = customer()
    await shop.hear((who, known))
    ticket_id = new_id()
    scored = START + timedelta(hours=3)
    await shop.hear(
        survey(who, 2, ticket_id=ticket_id, answered_at=scored), source="support_ticket"
    )

    shop.clock.advance(days=4)
    await shop.hear(
        ticket(who, ticket_id=ticket_id, version=2, status="closed", csat=2),
        source="support_ticket",
    )

    assert await figures(shop, "last_csat", "last_csat_at") == (2, scored)


async def test_message_figures_count_what_was_sent(shop: Shop):
    who, known = customer()
    await shop.hear((who, known))
    await shop.hear(
        message(who, finished_at=START + timedelta(hours=1)),
        message(who, status="suppressed", finished_at=START + timedelta(hours=2)),
        message(who, status="failed"),
        source="messaging",
    )

    assert await figures(shop, "messages_sent_count", "last_message_at") == (
        1,
        START + timedelta(hours=1),
    )


async def test_a_ticket_of_nobody_is_nobodys(shop: Shop):
    await shop.hear(ticket(None), source="support_ticket")

    assert await shop.rows("SELECT 1 FROM segmentation.ticket_fact WHERE tenant_id = :tenant") == []


async def test_facts_that_arrive_before_their_customer_count_once_the_customer_is_known(
    shop: Shop,
):
    who, known = customer()
    await shop.hear(survey(who, 1), source="support_ticket")
    assert await shop.members("unhappy") == set()
    assert await shop.members("potential") == set()

    await shop.hear((who, known))

    assert await shop.members("unhappy") == {who}


async def test_facts_that_arrive_before_their_shop_count_once_the_shop_is_known(
    open_shop, service, clock, tenant
):
    shop = Shop(service, clock, tenant)
    who, known = customer()
    await shop.hear((who, known), order(who))

    await shop.provision()

    assert await shop.members("new_customers") == {who}


async def test_an_older_state_changes_nothing(shop: Shop):
    who, newer = customer(version=7, city="Huế")
    order_id = new_id()
    await shop.hear((who, newer), order(who, order_id=order_id, version=5, status="cancelled"))
    before = await everything(shop)

    await shop.hear(customer(who, version=6, city="Vinh"), order(who, order_id=order_id, version=4))

    assert await everything(shop) == before


async def test_of_several_states_in_a_batch_the_newest_counts(shop: Shop):
    who = new_id()
    await shop.hear(*(customer(who, version=v, city=f"City {v}") for v in (2, 3, 1)))

    assert await figures(shop, "version", "city") == (3, "City 3")


async def test_applying_the_same_events_again_changes_nothing(shop: Shop):
    who, known = customer()
    told: list[Told] = [(who, known), order(who), order(who, total_minor=6_000_000)]
    envelopes = [
        Envelope(
            tenant_id=shop.tenant,
            source="customer",
            position=place,
            id=new_id(),
            key=key,
            type=event.type,
            occurred_at=START,
            data=event.model_dump(mode="json"),
            context={},
        )
        for place, (key, event) in enumerate(told, start=1)
    ]
    await apply(shop, envelopes)
    before = await everything(shop)
    assert await shop.members("loyal") == {who}

    shop.clock.advance(seconds=1)
    await apply(shop, envelopes)
    await apply(shop, envelopes[1:])

    assert await everything(shop) == before


async def apply(shop: Shop, envelopes: list[Envelope]) -> None:
    """Apply events past the stream's own guard, as the replay of a dead letter does."""
    async with shop.service.context.units.begin(shop.tenant) as uow:
        await shop.service.handlers(uow, envelopes)
        await uow.commit()


async def test_two_shops_know_nothing_of_each_other(open_shop):
    here, there = await open_shop(), await open_shop()
    who, known = customer()
    await here.hear((who, known), order(who))
    await there.hear((who, known))

    assert await here.members("new_customers") == {who}
    assert await there.members("new_customers") == set()
    segment = await here.segment("new_customers")
    foreign = await there.call("GET", f"/v1/segments/{segment['id']}")
    assert foreign.status_code == 404


async def test_search_keys_forget_accents(shop: Shop):
    who, known = customer(name="Nguyễn Văn Đức", city="Hà Nội", attributes={"hobby": "Đọc sách"})
    await shop.hear((who, known))

    found = await shop.call(
        "POST",
        "/v1/segments/preview",
        {
            "rule": {
                "all": [
                    {"field": "profile.full_name", "op": "contains", "value": "van duc"},
                    {"field": "profile.city", "op": "starts_with", "value": "ha n"},
                    {"field": "attributes.hobby", "op": "contains", "value": "doc sach"},
                ]
            }
        },
    )

    assert found.json()["count"] == 1
    assert [UUID(some["customer_id"]) for some in found.json()["sample"]] == [who]
