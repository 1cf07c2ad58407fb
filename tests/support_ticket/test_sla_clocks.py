"""The clocks of a service level, as pure functions."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from services.support_ticket.calendars.clock import BusinessCalendar, Interval
from services.support_ticket.sla.clocks import Clock, ClockState, Metric

CALENDAR = BusinessCalendar.every_day(
    ZoneInfo("Asia/Ho_Chi_Minh"), Interval.parse("08:00", "21:00")
)
START = datetime(2027, 3, 1, 3, tzinfo=UTC)  # Monday, ten o'clock in Vietnam.
HOUR = timedelta(hours=1)


def clock(hours: float = 4) -> Clock:
    return Clock.start(Metric.RESOLUTION, hours * HOUR, at=START, calendar=CALENDAR)


def test_a_clock_is_due_when_its_business_time_runs_out() -> None:
    assert clock(4).due_at == START + 4 * HOUR
    assert clock(12).due_at == START + 23 * HOUR  # Eleven today, and one tomorrow from eight.


def test_the_pause_is_added_to_the_due_time() -> None:
    paused = clock().pause(START + HOUR, CALENDAR)
    assert paused.state is ClockState.PAUSED
    assert paused.due_at is None
    resumed = paused.resume(START + 3 * HOUR, CALENDAR)
    assert resumed.due_at == START + 6 * HOUR


def test_what_is_late_stays_late_over_a_pause() -> None:
    late = clock(1).pause(START + 2 * HOUR, CALENDAR)
    assert late.due_at == START + HOUR
    resumed = late.resume(START + 3 * HOUR, CALENDAR)
    assert resumed.due_at == START + HOUR
    assert resumed.is_late(START + 3 * HOUR)


def test_another_target_keeps_the_time_used_up() -> None:
    shorter = clock(4).retarget(2 * HOUR, START + HOUR, CALENDAR)
    assert shorter.due_at == START + 2 * HOUR
    used_up = clock(4).retarget(HOUR, START + 3 * HOUR, CALENDAR)
    assert used_up.due_at == START + 3 * HOUR


def test_another_target_does_not_rewrite_what_was_missed() -> None:
    late = clock(1)
    assert late.retarget(9 * HOUR, START + 2 * HOUR, CALENDAR) == late
    done = clock().fulfil(START + HOUR, CALENDAR)
    assert done.retarget(9 * HOUR, START + 2 * HOUR, CALENDAR) == done


def test_a_clock_that_has_ended_does_not_go_on() -> None:
    done = clock().fulfil(START + HOUR, CALENDAR)
    assert done.consumed == HOUR
    later = START + 2 * HOUR
    assert done.pause(later, CALENDAR) == done
    assert done.resume(later, CALENDAR) == done
    assert done.fulfil(later, CALENDAR) == done
    assert done.cancel(later, CALENDAR) == done


def test_a_clock_fulfilled_in_time_is_never_late_and_one_fulfilled_late_always() -> None:
    assert not clock().fulfil(START + 4 * HOUR, CALENDAR).is_late(START + 90 * HOUR)
    assert clock().fulfil(START + 5 * HOUR, CALENDAR).is_late(START + 5 * HOUR)


@settings(deadline=None)
@given(st.lists(st.integers(min_value=1, max_value=2 * 86_400 * 10**6), max_size=12))
def test_consumed_time_is_the_business_time_of_the_running_stretches(steps: list[int]) -> None:
    """The oracle adds up what lies between the odd and the even switches by itself."""
    moving, at, expected = clock(10_000), START, timedelta(0)
    for number, step in enumerate(steps):
        until = at + timedelta(microseconds=step)
        if number % 2 == 0:
            expected += CALENDAR.business_time_between(at, until)
            moving = moving.pause(until, CALENDAR)
        else:
            moving = moving.resume(until, CALENDAR)
        at = until
    assert moving.consumed_by(at, CALENDAR) == expected
    if moving.state is ClockState.RUNNING:
        left = moving.target - expected
        assert CALENDAR.business_time_between(at, moving.due_at) == left
