"""Relative time: exact edges, and when time alone changes an answer."""

from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from services.segmentation.facts.customer_facts import OrderFact
from services.segmentation.rules import crossings, evaluate, next_flip, parse_rule
from services.segmentation.rules.moments import Duration, Moment, age_on
from shared.ids import new_id
from tests.segmentation.facts import AS_OF, SAIGON, TENANT, FactsDatabase, customer
from tests.segmentation.strategies import AS_OFS, TIMEZONES, customers, instants, moving_rules

TICK = timedelta(microseconds=1)
NEW_CUSTOMER = {
    "orders": {"measure": "first_at", "op": "within_last", "value": "P30D"},
}


def order(placed_at: datetime, **facts: Any) -> OrderFact:
    defaults = {"status": "open", "total_minor": 100, "currency": "VND"}
    return OrderFact(order_id=new_id(), placed_at=placed_at, **(defaults | facts))


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
    ("since", "text", "first_day_out"),
    [
        (date(2026, 1, 31), "P1M", date(2026, 3, 1)),
        (date(2024, 2, 29), "P1Y", date(2025, 3, 1)),
        (date(2026, 5, 1), "P30D", date(2026, 6, 1)),
        (date(2026, 5, 1), "P1Y2M3D", date(2027, 7, 5)),
        (date(2026, 5, 1), "P0D", date(2026, 5, 2)),
    ],
)
def test_a_day_passes_out_of_a_duration_of_months(since: date, text: str, first_day_out: date):
    assert Duration.parse(text).first_day_out(since) == first_day_out


@given(
    days=st.tuples(st.dates(date(1950, 1, 1), date(2100, 1, 1)), st.integers(0, 40)),
    text=st.sampled_from(["P1M", "P2M", "P1Y", "P30D", "P1M30D", "P0D", "P13M1D"]),
)
def test_no_day_passes_out_earlier(days: tuple[date, int], text: str):
    day, step = days
    duration = Duration.parse(text)
    out = duration.first_day_out(day)

    assert duration.before(out) > day
    assert duration.before(out - timedelta(days=1 + step)) <= day


@pytest.mark.parametrize("text", ["", "P", "PT", "30D", "P1.5D", "P1DT1H", "P-1D", "P101Y", "PT٣H"])
def test_other_durations_are_refused(text: str):
    with pytest.raises(ValueError):
        Duration.parse(text)


def test_a_day_without_midnight_begins_when_the_clock_has_moved():
    cairo = ZoneInfo("Africa/Cairo")
    moment = Moment(datetime(2024, 4, 25, 22, 0, tzinfo=UTC), cairo)

    assert moment.midnight(date(2024, 4, 26)) == datetime(2024, 4, 25, 22, 0, tzinfo=UTC)
    assert moment.today == date(2024, 4, 26)
    assert moment.day_of(moment.as_of - TICK) == date(2024, 4, 25)


@given(instant=instants(AS_OFS[4]), timezone=st.sampled_from(TIMEZONES))
def test_a_day_lasts_from_its_midnight_to_the_next(instant: datetime, timezone: ZoneInfo):
    moment = Moment(instant, timezone)

    assert moment.midnight(moment.today) <= instant
    assert instant < moment.midnight(moment.today + timedelta(days=1))


@pytest.mark.parametrize(
    ("today", "age"),
    [
        (date(2025, 2, 28), 24),
        (date(2025, 3, 1), 25),
        (date(2028, 2, 29), 28),
        (date(1999, 1, 1), None),
    ],
)
def test_a_leap_day_child_is_a_year_older_on_the_first_of_march(today: date, age: int | None):
    assert age_on(today, date(2000, 2, 29)) == age


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


def test_the_flip_is_the_midnight_after_the_last_day():
    bought = customer(orders=[order(saigon(2026, 5, 1, 9, 30))])
    as_of = saigon(2026, 5, 20, 12)

    flip = next_flip(parse_rule(NEW_CUSTOMER), bought, as_of=as_of, timezone=SAIGON)

    assert flip == saigon(2026, 6, 1)


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
