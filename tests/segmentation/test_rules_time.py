"""Relative time: exact edges, and when time alone changes an answer."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from services.segmentation.facts.customer_facts import OrderFact, TicketFact
from services.segmentation.rules import crossings, evaluate, next_flip, parse_rule
from shared.ids import new_id
from tests.segmentation.facts import AS_OF, SAIGON, TENANT, FactsDatabase, customer
from tests.segmentation.strategies import AS_OFS, TIMEZONES, customers, moving_rules

TICK = timedelta(microseconds=1)
NEW_CUSTOMER = {
    "orders": {"measure": "first_at", "op": "within_last", "value": "P30D"},
}


def order(placed_at: datetime, **facts: Any) -> OrderFact:
    defaults = {"status": "open", "total_minor": 100, "currency": "VND"}
    return OrderFact(order_id=new_id(), placed_at=placed_at, **(defaults | facts))


def ticket(resolved_at: datetime) -> TicketFact:
    return TicketFact(
        ticket_id=new_id(),
        type="complaint",
        status_category="resolved",
        opened_at=resolved_at - timedelta(days=3),
        resolved_at=resolved_at,
    )


def saigon(*parts: int) -> datetime:
    return datetime(*parts, tzinfo=SAIGON).astimezone(UTC)


@pytest.mark.parametrize(
    ("as_of", "expected"),
    [
        (saigon(2026, 5, 1, 10), True),
        (saigon(2026, 5, 31, 23, 59), True),
        (saigon(2026, 6, 1) - TICK, True),
        (saigon(2026, 6, 1), False),
    ],
)
async def test_the_last_thirty_days_end_with_a_day_of_the_shop(
    facts_database: FactsDatabase, as_of: datetime, expected: bool
):
    bought = customer(orders=[order(saigon(2026, 5, 1, 9, 30))])

    assert await facts_database.matches(NEW_CUSTOMER, bought, as_of=as_of) is expected


@pytest.mark.parametrize(
    ("back", "expected"), [(timedelta(hours=36) - TICK, True), (timedelta(hours=36), False)]
)
async def test_the_last_hours_are_exact(
    facts_database: FactsDatabase, back: timedelta, expected: bool
):
    rule = {"field": "profile.last_order_at", "op": "within_last", "value": "PT36H"}

    assert await facts_database.matches(rule, customer(last_order_at=AS_OF - back)) is expected


async def test_dormant_begins_where_the_last_days_end(facts_database: FactsDatabase):
    bought = customer(last_order_at=saigon(2026, 5, 1, 9))
    recent = {"field": "profile.last_order_at", "op": "within_last", "value": "P90D"}
    dormant = {"field": "profile.last_order_at", "op": "more_than_ago", "value": "P90D"}
    last_day = saigon(2026, 7, 31) - TICK

    assert await facts_database.matches(recent, bought, as_of=last_day)
    assert not await facts_database.matches(dormant, bought, as_of=last_day)
    assert not await facts_database.matches(recent, bought, as_of=last_day + TICK)
    assert await facts_database.matches(dormant, bought, as_of=last_day + TICK)


async def test_what_lies_ahead_is_not_in_the_last_days(facts_database: FactsDatabase):
    rule = {"field": "profile.last_order_at", "op": "within_last", "value": "P30D"}

    assert not await facts_database.matches(rule, customer(last_order_at=AS_OF + TICK))
    assert await facts_database.matches(rule, customer(last_order_at=AS_OF))


@pytest.mark.parametrize(
    ("as_of", "within", "expected"),
    [
        (saigon(2026, 2, 28, 12), "P0D", True),
        (saigon(2026, 2, 27, 12), "P0D", False),
        (saigon(2026, 2, 21, 12), "P7D", True),
        (saigon(2026, 2, 20, 12), "P7D", False),
        (saigon(2028, 2, 28, 12), "P0D", False),
        (saigon(2028, 2, 29, 12), "P0D", True),
    ],
)
async def test_a_leap_day_birthday_is_kept_on_the_last_of_february(
    facts_database: FactsDatabase, as_of: datetime, within: str, expected: bool
):
    rule = {"field": "profile.birth_date", "op": "anniversary_within", "value": within}
    born = customer(birth_date=date(2000, 2, 29))

    assert await facts_database.matches(rule, born, as_of=as_of) is expected


def field(name: str, op: str, value: Any) -> dict[str, Any]:
    return {"field": name, "op": op, "value": value}


def counted(collection: str, **extra: Any) -> dict[str, Any]:
    return {collection: {"measure": "count", "op": "gte", "value": 1} | extra}


FIRST_OF_MAY = saigon(2026, 5, 1)
FLIPS = [
    # a rule, a fact, an instant, and when the answer of that instant turns over
    (
        field("profile.last_order_at", "within_last", "P30D"),
        {"last_order_at": FIRST_OF_MAY},
        saigon(2026, 5, 9),
        saigon(2026, 6, 1),
    ),
    (
        field("profile.last_order_at", "within_last", "P30D"),
        {"last_order_at": FIRST_OF_MAY - TICK},
        saigon(2026, 5, 9),
        saigon(2026, 5, 31),
    ),
    (
        field("profile.last_order_at", "more_than_ago", "P1M"),
        {"last_order_at": FIRST_OF_MAY},
        saigon(2026, 5, 9),
        saigon(2026, 6, 2),
    ),
    (
        field("profile.last_order_at", "within_last", "PT36H"),
        {"last_order_at": FIRST_OF_MAY},
        saigon(2026, 5, 1),
        saigon(2026, 5, 2, 12),
    ),
    (
        field("profile.last_order_at", "within_last", "P1D"),
        {"last_order_at": saigon(2026, 5, 1, 9)},
        saigon(2026, 5, 1),
        saigon(2026, 5, 1, 9),
    ),
    (
        field("profile.birth_date", "within_last", "P30D"),
        {"birth_date": date(2026, 5, 1)},
        saigon(2026, 5, 9),
        saigon(2026, 6, 1),
    ),
    (
        field("profile.birth_date", "within_last", "P30D"),
        {"birth_date": date(2026, 5, 1)},
        saigon(2026, 4, 9),
        saigon(2026, 5, 1),
    ),
    (
        field("profile.birth_date", "more_than_ago", "P30D"),
        {"birth_date": date(2026, 5, 1)},
        saigon(2026, 5, 9),
        saigon(2026, 6, 1),
    ),
    (
        field("profile.birth_date", "anniversary_within", "P7D"),
        {"birth_date": date(1990, 5, 20)},
        saigon(2026, 5, 1),
        saigon(2026, 5, 13),
    ),
    (
        field("profile.birth_date", "anniversary_within", "P7D"),
        {"birth_date": date(1990, 5, 20)},
        saigon(2026, 5, 13),
        saigon(2026, 5, 21),
    ),
    (
        field("profile.birth_date", "anniversary_within", "P0D"),
        {"birth_date": date(2000, 2, 29)},
        saigon(2026, 2, 1),
        saigon(2026, 2, 28),
    ),
    (
        field("profile.age", "gte", 26),
        {"birth_date": date(2000, 5, 20)},
        saigon(2026, 5, 1),
        saigon(2026, 5, 20),
    ),
    (
        field("profile.age", "gte", 18),
        {"birth_date": date(2008, 2, 29)},
        saigon(2026, 2, 1),
        saigon(2026, 3, 1),
    ),
    (
        field("profile.age", "gte", 0),
        {"birth_date": date(2026, 5, 20)},
        saigon(2026, 5, 1),
        saigon(2026, 5, 20),
    ),
    (
        field("attributes.x", "within_last", "P7D"),
        {"attributes": {"x": "2026-05-01"}},
        saigon(2026, 5, 3),
        saigon(2026, 5, 9),
    ),
    (NEW_CUSTOMER, {"orders": [order(FIRST_OF_MAY)]}, saigon(2026, 5, 9), saigon(2026, 6, 1)),
    (
        counted("orders", window={"last": "P7D"}),
        {"orders": [order(FIRST_OF_MAY)]},
        saigon(2026, 5, 3),
        saigon(2026, 5, 9),
    ),
    (
        counted("tickets", where=field("ticket.resolved_at", "more_than_ago", "PT2H")),
        {"tickets": [ticket(FIRST_OF_MAY)]},
        FIRST_OF_MAY,
        saigon(2026, 5, 1, 2),
    ),
]


@pytest.mark.parametrize(("source", "known", "as_of", "flip"), FLIPS)
async def test_time_alone_turns_the_answer_over(
    facts_database: FactsDatabase,
    source: dict[str, Any],
    known: dict[str, Any],
    as_of: datetime,
    flip: datetime,
):
    rule, person = parse_rule(source), customer(**known)

    assert next_flip(rule, person, as_of=as_of, timezone=SAIGON) == flip
    before = await facts_database.matches(source, person, as_of=flip - TICK)
    assert await facts_database.matches(source, person, as_of=flip) is not before
    tenant = await facts_database.store([person])
    found = await facts_database.crossed(
        tenant, rule, since=flip - TICK, until=flip, timezone=SAIGON
    )
    assert found == {person.profile.customer_id}


@pytest.mark.parametrize(("source", "known", "as_of", "flip"), FLIPS)
async def test_a_sweep_passes_by_who_is_not_at_an_edge(
    facts_database: FactsDatabase,
    source: dict[str, Any],
    known: dict[str, Any],
    as_of: datetime,
    flip: datetime,
):
    tenant = await facts_database.store([customer(**known)])

    found = await facts_database.crossed(
        tenant, parse_rule(source), since=flip, until=flip + timedelta(hours=11), timezone=SAIGON
    )

    assert found == set()


def test_the_flip_waits_until_enough_orders_have_passed():
    rule = {"orders": {"measure": "count", "window": {"last": "PT24H"}, "op": "gte", "value": 2}}
    hours = [1, 5, 9]
    bought = customer(orders=[order(AS_OF - timedelta(hours=back)) for back in hours])

    flip = next_flip(parse_rule(rule), bought, as_of=AS_OF, timezone=SAIGON)

    assert flip == AS_OF + timedelta(hours=24 - 5)


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "profile.city", "op": "eq", "value": "Huế"},
        {"field": "profile.last_order_at", "op": "before", "value": "2030-01-01"},
        {"field": "profile.last_order_at", "op": "more_than_ago", "value": "P30D"},
        {"field": "profile.first_order_at", "op": "within_last", "value": "P30D"},
    ],
)
def test_nothing_flips_that_time_does_not_move(rule: dict[str, Any]):
    long_ago = customer(city="Huế", last_order_at=AS_OF - timedelta(days=400))

    assert next_flip(parse_rule(rule), long_ago, as_of=AS_OF, timezone=SAIGON) is None


LOOKS = st.tuples(st.sampled_from(AS_OFS), st.sampled_from(TIMEZONES))


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), look=LOOKS)
def test_nothing_changes_before_the_flip_and_the_answer_changes_at_it(
    data: st.DataObject, look: tuple[datetime, ZoneInfo]
):
    as_of, timezone = look
    rule = parse_rule(data.draw(moving_rules(as_of)))
    for person in data.draw(st.lists(customers(as_of), min_size=4, max_size=4)):
        flip = next_flip(rule, person, as_of=as_of, timezone=timezone)
        end = flip or as_of + timedelta(days=800)
        before = data.draw(st.datetimes(_naive(as_of), _naive(end - TICK)).map(_aware))

        event(f"flips: {flip is not None}")
        now = evaluate(rule, person, as_of=as_of, timezone=timezone)
        assert evaluate(rule, person, as_of=before, timezone=timezone) is now
        if flip is not None:
            assert evaluate(rule, person, as_of=flip, timezone=timezone) is not now


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), look=LOOKS)
async def test_a_sweep_finds_everybody_whom_time_has_moved(
    facts_database: FactsDatabase, data: st.DataObject, look: tuple[datetime, ZoneInfo]
):
    since, timezone = look
    rule = parse_rule(data.draw(moving_rules(since)))
    people = data.draw(st.lists(customers(since), min_size=4, max_size=4))
    steps = st.timedeltas(TICK, timedelta(days=2)) | st.timedeltas(TICK, timedelta(days=400))
    until = since + data.draw(steps)

    tenant = await facts_database.store(people)
    found = await facts_database.crossed(tenant, rule, since=since, until=until, timezone=timezone)

    moved = {
        person.profile.customer_id
        for person in people
        if evaluate(rule, person, as_of=since, timezone=timezone)
        is not evaluate(rule, person, as_of=until, timezone=timezone)
    }
    event(f"moved: {len(moved)}, found: {len(found)}")
    assert moved <= found


def test_a_sweep_within_a_day_has_nothing_to_ask_about_days():
    rule = {"field": "profile.birth_date", "op": "anniversary_within", "value": "P7D"}
    noon = saigon(2026, 5, 1, 12)

    statements = crossings(
        [parse_rule(rule)],
        tenant_id_param=TENANT,
        since=noon,
        until=noon + timedelta(minutes=1),
        timezone=SAIGON,
    )

    assert statements == ()


def _naive(instant: datetime) -> datetime:
    return instant.astimezone(UTC).replace(tzinfo=None)


def _aware(instant: datetime) -> datetime:
    return instant.replace(tzinfo=UTC)
