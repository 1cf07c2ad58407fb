"""Figures carried on from order to order, against all orders added up anew."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import asyncpg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.customer.orders.figures import (
    CurrencyTally,
    Ends,
    Figures,
    Reckoning,
    added_up,
)
from services.customer.orders.figures_repository import ENDS
from services.customer.orders.record import OrderContent, OrderRecord
from shared.ids import new_id
from tests.customer.merging import Merging
from tests.support.plans import rows_read

START = datetime(2026, 3, 1, tzinfo=UTC)
ME, SOMEBODY_ELSE = new_id(), new_id()


def an_order(day, currency="VND", total=100, status="paid", **changes):
    content = OrderContent(
        source="pos",
        scope="pos",
        external_id="1",
        number="1",
        status="open",
        financial_status=status,
        currency=currency,
        total_minor=total,
        placed_at=START + timedelta(days=day),
        changed_at=START,
    )
    placed = OrderRecord.placed(content, customer_id=ME, lines=(), at=START)
    return replace(placed, **changes)


def ends_of(orders):
    counted = sorted((o.placed_at, o.currency) for o in orders if o.counts)
    if not counted:
        return None
    (first, currency), (last, _) = counted[0], counted[-1]
    return Ends(first_order_at=first, currency=currency, last_order_at=last)


def added_up_anew(orders):
    """The slow and obvious way."""
    mine = [o for o in orders if o.counts]
    return added_up(
        CurrencyTally(
            currency=currency,
            orders_count=len(those),
            spent_minor=sum(o.spent_minor for o in those),
            ordered_minor=sum(o.total_minor for o in those),
            first_order_at=min(o.placed_at for o in those),
            last_order_at=max(o.placed_at for o in those),
            ever_paid=any(o.paid for o in those),
        )
        for currency in {o.currency for o in mine}
        for those in [[o for o in mine if o.currency == currency]]
    )


def carried_on(before, changes, after):
    """The figures as the keeper gets them: reckoned, and the orders asked for what is open."""
    reckoning = Reckoning(replace(added_up_anew(before), ever_paid=False))
    for was, now in changes:
        reckoning.take(was, now)
    if reckoning.left_open == "ends":
        reckoning.settle(ends_of(after))
    return added_up_anew(after) if reckoning.left_open == "everything" else reckoning.figures


some_order = st.builds(
    an_order,
    st.integers(0, 4),
    st.sampled_from(["VND", "USD"]),
    st.sampled_from([0, 100, 250]),
    st.sampled_from(["paid", "pending", "partially_refunded", "refunded", "voided"]),
    refunded_minor=st.sampled_from([0, 50, 300]),
    deleted_at=st.sampled_from([None, None, START]),
)
some_change = st.tuples(st.integers(0, 9), some_order, st.booleans())


@settings(max_examples=400, deadline=None)
@given(st.lists(some_order, max_size=5), st.lists(some_change, min_size=1, max_size=5))
def test_figures_are_those_of_all_orders_whatever_changes(orders, given_changes):
    before = dict(enumerate(orders))
    after, changes = dict(before), []
    for number, one, goes in given_changes:
        now = None if goes else one
        changes.append((after.get(number), now))
        after[number] = now
        if now is None:
            del after[number]
    found = carried_on(before.values(), changes, after.values())
    assert replace(found, ever_paid=False) == replace(
        added_up_anew(after.values()), ever_paid=False
    )


def test_most_changes_leave_nothing_open():
    reckoning = Reckoning(Figures(10, 1_000, "VND", START, START + timedelta(days=9)))
    reckoning.take(None, an_order(10))
    reckoning.take(an_order(10), an_order(10, status="refunded"))
    reckoning.take(an_order(5), None)
    reckoning.take(None, an_order(7, currency="USD"))
    assert reckoning.left_open == "nothing"
    reckoning.take(an_order(10, status="refunded"), None)
    assert reckoning.left_open == "ends"


def money(amount, currency="VND"):
    return {"amount": str(amount), "currency": currency}


def day(number):
    return f"2026-03-{number:02d}T00:00:00Z"


@pytest.fixture
def people(client):
    return Merging(client)


@pytest.fixture
def figures(client, people):
    """A customer's figures, which must be what their orders come to when they are added up."""

    async def read(customer):
        known = await people.read(customer)
        path = f"/v1/customers/{customer['id']}/order-figures"
        anew = (await client.get(path)).json()["data"]
        assert known["orders_count"] == sum(each["orders_count"] for each in anew)
        ends = [known["first_order_at"], known["last_order_at"]]
        if not anew:
            assert ends == [None, None]
            assert int(known["total_spent"]["amount"]) == 0
            return 0, None, None, None
        assert ends[0] == min(each["first_order_at"] for each in anew)
        assert ends[1] == max(each["last_order_at"] for each in anew)
        assert known["total_spent"] == anew[0]["total_spent"]
        return known["orders_count"], known["total_spent"], *(int(end[8:10]) for end in ends)

    return read


async def test_the_first_and_the_last_order_may_be_called_off(client, people, figures):
    an = await people.make(name="An")
    orders = [await people.buy(an, 100 * n, placed_at=day(n)) for n in (1, 2, 3, 4)]
    assert await figures(an) == (4, money(1_000), 1, 4)
    for number, expected in (
        (3, (3, money(600), 1, 3)),
        (0, (2, money(500), 2, 3)),
        (1, (1, money(300), 3, 3)),
        (2, (0, None, None, None)),
    ):
        answer = await client.post(f"/v1/orders/{orders[number]['id']}/cancel", json={})
        assert answer.status_code == 200
        assert await figures(an) == expected
    await people.buy(an, 70, placed_at=day(9))
    assert await figures(an) == (1, money(70), 9, 9)


async def test_another_first_order_may_bring_another_currency(client, people, figures):
    an = await people.make(name="An")
    await people.buy(an, 300, placed_at=day(5))
    dollars = await people.buy(an, 0, placed_at=day(8), total=money("2.50", "USD"))
    assert await figures(an) == (2, money(300), 5, 8)
    earlier = await people.buy(an, 0, placed_at=day(2), total=money("4.00", "USD"))
    assert await figures(an) == (3, money("6.50", "USD"), 2, 8)
    await client.post(f"/v1/orders/{dollars['id']}/cancel", json={})
    assert await figures(an) == (2, money("4.00", "USD"), 2, 5)
    await client.post(f"/v1/orders/{earlier['id']}/cancel", json={})
    assert await figures(an) == (1, money(300), 5, 5)


async def test_an_order_that_turns_out_to_be_somebody_elses_leaves(people, figures):
    an, binh = await people.make_all("An", "Bình")
    await people.buy(an, 100, placed_at=day(1))
    moved = await people.buy(an, 200, placed_at=day(6))
    await people.buy(binh, 30, placed_at=day(3))
    await people.buy(binh, 200, external_id=moved["external_id"], placed_at=day(6))
    assert await figures(an) == (1, money(100), 1, 1)
    assert await figures(binh) == (2, money(230), 3, 6)


async def test_all_records_of_a_person_have_one_set_of_figures(client, people, figures):
    an, other = await people.make_all("An", "An N.")
    orders = [await people.buy(an, 100, placed_at=day(2))]
    orders += [await people.buy(other, 10 * n, placed_at=day(n)) for n in (1, 5)]
    merged = await people.merge(an, other)
    await people.buy(other, 7, placed_at=day(9))
    assert await figures(an) == (4, money(167), 1, 9)
    for order in (orders[1], orders[2]):
        await client.post(f"/v1/orders/{order['id']}/cancel", json={})
    assert await figures(an) == (2, money(107), 2, 9)
    await people.undo(merged)
    assert await figures(an) == (1, money(100), 2, 2)
    assert await figures(other) == (1, money(7), 9, 9)


async def test_figures_are_exact_when_everything_happens_at_once(client, people, figures):
    an, binh = await people.make_all("An", "Bình")
    known = [await people.buy(an, 100, placed_at=day(n)) for n in range(1, 9)]
    cancels = [client.post(f"/v1/orders/{o['id']}/cancel", json={}) for o in known[:4]]
    refunds = [
        client.post(f"/v1/orders/{o['id']}/refunds", json={"amount": money(30)}) for o in known[4:6]
    ]
    moves = [
        people.buy(binh, 100, external_id=o["external_id"], placed_at=o["placed_at"])
        for o in known[6:]
    ]
    new = [people.buy(who, 50, placed_at=day(10 + n)) for n in range(3) for who in (an, binh)]
    for answer in await asyncio.gather(*cancels, *refunds, *moves, *new):
        assert isinstance(answer, dict) or answer.is_success
    assert await figures(an) == (5, money(290), 5, 12)
    assert await figures(binh) == (5, money(350), 7, 12)


_MANY = """
    INSERT INTO customer.customer_order
        (tenant_id, id, customer_id, source, scope, external_id, number, status, financial_status,
         currency, total_minor, subtotal_minor, discount_minor, shipping_minor, tax_minor,
         refunded_minor, placed_at, changed_at, created_at, updated_at, version)
    SELECT $1, gen_random_uuid(), $2, 'pos', 'pos', 'many-' || n, n::text,
           CASE WHEN n > 10 THEN 'cancelled' ELSE 'open' END, 'paid', 'VND', 1, 1, 0, 0, 0, 0,
           at, at, at, at, 1
    FROM (SELECT n, timestamptz '2026-01-01Z' + n * interval '1 minute' AS at
          FROM generate_series(1, 3000) AS n) AS orders
"""


async def test_the_ends_are_found_without_reading_the_orders_between(database_url, people, shop):
    """Also where the last three thousand were called off."""
    an = await people.make(name="An")
    connection = await asyncpg.connect(database_url.replace("+asyncpg", ""))
    try:
        await connection.execute(_MANY, shop, UUID(an["id"]))
    finally:
        await connection.close()
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table="customer_order",
        statement=ENDS,
        parameters={"tenant": shop, "ids": [UUID(an["id"])]},
    )
    assert read == 2
