"""Durations, and the days of a shop."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.segmentation.rules.moments import Duration, Moment, age_on
from tests.segmentation.strategies import AS_OFS, TIMEZONES, instants

TICK = timedelta(microseconds=1)


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
