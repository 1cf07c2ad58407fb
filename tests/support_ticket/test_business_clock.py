from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from services.support_ticket.calendars.clock import (
    BusinessCalendar,
    CalendarNeverOpensError,
    Hours,
    Interval,
    Window,
)
from shared.holidays import (
    UnknownCountryError,
    extra_working_days,
    public_holidays,
)

SAIGON = ZoneInfo("Asia/Ho_Chi_Minh")
NEW_YORK = ZoneInfo("America/New_York")
MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)

RETAIL = Interval.parse("08:00", "21:00")
OFFICE = (Interval.parse("08:00", "12:00"), Interval.parse("13:30", "17:30"))
WHOLE_DAY = Interval.parse("00:00", "24:00")
NEVER = BusinessCalendar(zone=SAIGON, weekly=((),) * 7)


def saigon(*wall: int) -> datetime:
    return datetime(*wall, tzinfo=SAIGON)  # type: ignore[arg-type,misc]


def new_york(*wall: int, fold: int = 0) -> datetime:
    return datetime(*wall, tzinfo=NEW_YORK, fold=fold)  # type: ignore[arg-type,misc]


class TestInterval:
    def test_reads_wall_times_to_the_second(self) -> None:
        assert Interval.parse("08:00", "21:30:15") == Interval(28_800, 77_415)
        assert Interval.parse("00:00", "24:00") == Interval(0, 86_400)

    @pytest.mark.parametrize(
        ("opens", "closes"),
        [
            ("21:00", "08:00"),
            ("08:00", "08:00"),
            ("24:00", "24:00"),
            ("08:00", "25:00"),
            ("08:00+07:00", "09:00"),
            ("08:00:00.5", "09:00"),
            ("", "09:00"),
        ],
    )
    def test_refuses_hours_that_are_none(self, opens: str, closes: str) -> None:
        with pytest.raises(ValueError, match=r"."):
            Interval.parse(opens, closes)


class TestCalendar:
    def test_refuses_overlapping_or_unordered_intervals(self) -> None:
        for hours in [OFFICE[::-1], (Interval(0, 10), Interval(9, 20))]:
            with pytest.raises(ValueError, match="overlap"):
                BusinessCalendar.every_day(SAIGON, *hours)
            with pytest.raises(ValueError, match="overlap"):
                BusinessCalendar(zone=SAIGON, weekly=((),) * 7, overrides={date(2026, 1, 1): hours})

    def test_intervals_that_touch_are_one_stretch_of_open_time(self) -> None:
        halves = Interval.parse("08:00", "12:00"), Interval.parse("12:00", "21:00")
        calendar = BusinessCalendar.every_day(SAIGON, *halves)
        due = calendar.add_business_time(saigon(2026, 3, 2, 11), 2 * HOUR)
        assert due == saigon(2026, 3, 2, 13)
        assert calendar.is_open(saigon(2026, 3, 2, 12))

    def test_refuses_a_week_without_seven_days(self) -> None:
        with pytest.raises(ValueError, match="seven"):
            BusinessCalendar(zone=SAIGON, weekly=((RETAIL,),) * 6)

    def test_an_override_wins_over_holiday_and_week(self) -> None:
        half_day, closed = date(2026, 2, 16), date(2026, 2, 23)
        calendar = BusinessCalendar(
            zone=SAIGON,
            weekly=((RETAIL,),) * 7,
            holidays=frozenset({half_day, date(2026, 2, 17)}),
            overrides={half_day: OFFICE[:1], closed: ()},
        )
        assert calendar.hours_on(half_day) == OFFICE[:1]
        assert calendar.hours_on(date(2026, 2, 17)) == ()
        assert calendar.hours_on(closed) == ()
        assert calendar.hours_on(date(2026, 2, 24)) == (RETAIL,)

    @pytest.mark.parametrize("method", ["is_open", "next_opening"])
    def test_refuses_an_instant_without_zone(self, method: str) -> None:
        naive = datetime(2026, 1, 1)  # noqa: DTZ001
        with pytest.raises(ValueError, match="time zone"):
            getattr(NEVER, method)(naive)
        with pytest.raises(ValueError, match="time zone"):
            NEVER.add_business_time(naive, timedelta(0))


class TestShopHours:
    """A shop in Ho Chi Minh City, 08:00 to 21:00 every day."""

    shop = BusinessCalendar.every_day(SAIGON, RETAIL)

    def test_is_open_from_opening_until_just_before_closing(self) -> None:
        assert not self.shop.is_open(saigon(2026, 3, 2, 7, 59, 59))
        assert self.shop.is_open(saigon(2026, 3, 2, 8))
        assert self.shop.is_open(saigon(2026, 3, 2, 20, 59, 59))
        assert not self.shop.is_open(saigon(2026, 3, 2, 21))

    def test_next_opening_is_now_while_open(self) -> None:
        assert self.shop.next_opening(saigon(2026, 3, 2, 9, 30)) == saigon(2026, 3, 2, 9, 30)
        assert self.shop.next_opening(saigon(2026, 3, 2, 6)) == saigon(2026, 3, 2, 8)
        assert self.shop.next_opening(saigon(2026, 3, 2, 21)) == saigon(2026, 3, 3, 8)

    def test_what_is_left_in_the_evening_goes_on_in_the_morning(self) -> None:
        due = self.shop.add_business_time(saigon(2026, 3, 2, 20, 59, 30), timedelta(seconds=45))
        assert due == saigon(2026, 3, 3, 8, 0, 15)

    def test_time_that_ends_at_closing_is_due_at_closing(self) -> None:
        assert self.shop.add_business_time(saigon(2026, 3, 2, 20), HOUR) == saigon(2026, 3, 2, 21)

    def test_time_asked_for_at_night_starts_in_the_morning(self) -> None:
        assert self.shop.add_business_time(saigon(2026, 3, 2, 23), HOUR) == saigon(2026, 3, 3, 9)

    def test_no_time_is_due_at_once(self) -> None:
        night = saigon(2026, 3, 2, 23)
        assert self.shop.add_business_time(night, timedelta(0)) == night

    def test_answers_are_in_utc(self) -> None:
        due = self.shop.add_business_time(saigon(2026, 3, 2, 8), HOUR)
        assert due.tzinfo is UTC
        assert self.shop.next_opening(saigon(2026, 3, 2, 9)).tzinfo is UTC

    def test_elapsed_time_has_the_sign_of_its_direction(self) -> None:
        evening, morning = saigon(2026, 3, 2, 20), saigon(2026, 3, 3, 9)
        assert self.shop.business_time_between(evening, morning) == 2 * HOUR
        assert self.shop.business_time_between(morning, evening) == -2 * HOUR

    def test_fractions_of_a_second_are_kept(self) -> None:
        start = saigon(2026, 3, 2, 20, 59, 59, 750_000)
        due = self.shop.add_business_time(start, timedelta(seconds=1))
        assert due == saigon(2026, 3, 3, 8, 0, 0, 750_000)

    def test_time_is_not_added_backwards(self) -> None:
        with pytest.raises(ValueError, match="backwards"):
            self.shop.add_business_time(saigon(2026, 3, 2, 9), -HOUR)

    def test_ten_years_are_ten_years_of_days(self) -> None:
        start, end = saigon(2016, 1, 1, 12), saigon(2026, 1, 1, 12)
        days = (end - start).days
        assert self.shop.business_time_between(start, end) == days * 13 * HOUR
        assert self.shop.add_business_time(start, days * 13 * HOUR) == end

    def test_windows_go_on_from_the_current_one(self) -> None:
        first, second = islice(self.shop.windows_from(saigon(2026, 3, 2, 20)), 2)
        assert first == Window(saigon(2026, 3, 2, 8), saigon(2026, 3, 2, 21))
        assert second == Window(saigon(2026, 3, 3, 8), saigon(2026, 3, 3, 21))


class TestTet:
    """An office closed on public holidays: Tet 2026 is 16 to 20 February, Monday to Friday."""

    office = BusinessCalendar(
        zone=SAIGON,
        weekly=(OFFICE, OFFICE, OFFICE, OFFICE, OFFICE, OFFICE[:1], ()),
        holidays=frozenset(public_holidays("VN", [2026])),
        overrides={date(2026, 8, 22): OFFICE},
    )

    def test_four_hours_from_friday_afternoon_end_on_saturday_morning(self) -> None:
        due = self.office.add_business_time(saigon(2026, 2, 13, 16), 4 * HOUR)
        assert due == saigon(2026, 2, 14, 10, 30)

    def test_the_clock_stands_still_from_saturday_noon_until_the_saturday_after(self) -> None:
        due = self.office.add_business_time(saigon(2026, 2, 14, 11), 2 * HOUR)
        assert due == saigon(2026, 2, 21, 9)
        assert self.office.next_opening(saigon(2026, 2, 14, 12)) == saigon(2026, 2, 21, 8)
        closed = saigon(2026, 2, 14, 12), saigon(2026, 2, 21, 8)
        assert self.office.business_time_between(*closed) == timedelta(0)

    def test_a_saturday_worked_for_the_national_holiday_is_a_full_day(self) -> None:
        saturday = saigon(2026, 8, 22), saigon(2026, 8, 23)
        assert self.office.business_time_between(*saturday) == 8 * HOUR
        assert self.office.business_time_between(saigon(2026, 8, 31), saigon(2026, 9, 3)) == (
            timedelta(0)
        )


class TestDaylightSaving:
    """New York 2026: 02:00 becomes 03:00 on 8 March, 02:00 becomes 01:00 on 1 November."""

    round_the_clock = BusinessCalendar.every_day(NEW_YORK, WHOLE_DAY)

    def test_a_day_has_23_or_25_real_hours(self) -> None:
        between = self.round_the_clock.business_time_between
        assert between(new_york(2026, 3, 8), new_york(2026, 3, 9)) == 23 * HOUR
        assert between(new_york(2026, 11, 1), new_york(2026, 11, 2)) == 25 * HOUR

    def test_an_hour_over_the_change_is_a_real_hour(self) -> None:
        add = self.round_the_clock.add_business_time
        assert add(new_york(2026, 3, 8, 1, 30), HOUR) == new_york(2026, 3, 8, 3, 30).astimezone(UTC)
        assert add(new_york(2026, 11, 1, 1, 30), HOUR) == new_york(
            2026, 11, 1, 1, 30, fold=1
        ).astimezone(UTC)

    def test_elapsed_time_between_two_wall_times_that_look_alike(self) -> None:
        first, second = new_york(2026, 11, 1, 1, 30), new_york(2026, 11, 1, 1, 30, fold=1)
        assert self.round_the_clock.business_time_between(first, second) == HOUR

    def test_hours_that_begin_in_the_skipped_hour_begin_when_the_clock_jumps(self) -> None:
        calendar = BusinessCalendar.every_day(NEW_YORK, Interval.parse("02:30", "04:00"))
        opening = calendar.next_opening(new_york(2026, 3, 8))
        assert opening == datetime(2026, 3, 8, 7, tzinfo=UTC)
        assert calendar.add_business_time(opening, HOUR) == datetime(2026, 3, 8, 8, tzinfo=UTC)

    def test_hours_inside_the_skipped_hour_do_not_take_place(self) -> None:
        calendar = BusinessCalendar.every_day(NEW_YORK, Interval.parse("02:15", "02:45"))
        assert calendar.next_opening(new_york(2026, 3, 8)) == new_york(2026, 3, 9, 2, 15)

    def test_hours_inside_the_repeated_hour_take_place_once(self) -> None:
        calendar = BusinessCalendar.every_day(NEW_YORK, Interval.parse("01:15", "01:45"))
        day = new_york(2026, 11, 1), new_york(2026, 11, 2)
        assert calendar.business_time_between(*day) == 30 * MINUTE
        assert calendar.is_open(new_york(2026, 11, 1, 1, 30))
        assert not calendar.is_open(new_york(2026, 11, 1, 1, 30, fold=1))

    def test_hours_go_on_while_the_clock_shows_yesterday_again(self) -> None:
        newfoundland = ZoneInfo("America/St_Johns")  # 2009: from 00:01 back to 23:01.
        calendar = BusinessCalendar.every_day(newfoundland, Interval.parse("00:00", "00:30"))
        midnight = calendar.next_opening(datetime(2009, 10, 31, 12, tzinfo=newfoundland))
        assert midnight == datetime(2009, 11, 1, 2, 30, tzinfo=UTC)
        yesterday_again = midnight + 30 * MINUTE
        assert yesterday_again.astimezone(newfoundland).day == 31
        assert calendar.is_open(yesterday_again)
        assert calendar.business_time_between(midnight, yesterday_again) == 30 * MINUTE
        assert calendar.business_time_between(midnight, midnight + DAY) == 90 * MINUTE

    def test_a_date_that_never_was_has_no_hours(self) -> None:
        apia = ZoneInfo("Pacific/Apia")  # Went from 29 to 31 December 2011.
        calendar = BusinessCalendar.every_day(apia, RETAIL)
        start = datetime(2011, 12, 29, 20, tzinfo=apia)
        assert calendar.add_business_time(start, 2 * HOUR) == datetime(
            2011, 12, 31, 9, tzinfo=apia
        ).astimezone(UTC)


class TestNeverOpen:
    def test_says_so_instead_of_searching_for_ever(self) -> None:
        at = saigon(2026, 1, 1)
        with pytest.raises(CalendarNeverOpensError, match="50 years"):
            NEVER.next_opening(at)
        with pytest.raises(CalendarNeverOpensError):
            NEVER.add_business_time(at, MINUTE)

    def test_is_closed_and_no_time_passes(self) -> None:
        at = saigon(2026, 1, 1)
        assert not NEVER.is_open(at)
        assert NEVER.business_time_between(at, at + 400 * DAY) == timedelta(0)

    def test_a_calendar_whose_last_opening_is_past_never_opens_again(self) -> None:
        popup = BusinessCalendar(
            zone=SAIGON, weekly=((),) * 7, overrides={date(2026, 1, 1): (RETAIL,)}
        )
        assert popup.next_opening(saigon(2025, 6, 1)) == saigon(2026, 1, 1, 8)
        with pytest.raises(CalendarNeverOpensError):
            popup.next_opening(saigon(2026, 1, 1, 21))
        with pytest.raises(CalendarNeverOpensError):
            popup.add_business_time(saigon(2025, 6, 1), 14 * HOUR)


class TestHolidays:
    def test_vietnam_has_tet_and_the_days_in_lieu(self) -> None:
        days = public_holidays("VN", [2026])
        tet = [date(2026, 2, day) for day in range(16, 21)]
        assert set(tet) <= set(days)
        assert days[date(2026, 2, 17)] == "Tết Nguyên Đán"
        assert date(2026, 4, 27) in days
        assert list(days) == sorted(days)
        assert {day.year for day in days} == {2026}

    def test_names_come_in_the_language_asked_for(self) -> None:
        assert public_holidays("VN", [2026], language="en_US")[date(2026, 2, 17)] == (
            "Lunar New Year"
        )

    def test_tet_2030_follows_the_vietnamese_calendar_not_the_chinese(self) -> None:
        assert public_holidays("VN", [2030])[date(2030, 2, 2)] == "Tết Nguyên Đán"

    def test_saturdays_worked_in_exchange(self) -> None:
        assert extra_working_days("VN", [2026]) == {date(2026, 8, 22)}

    def test_an_unknown_country_is_an_error(self) -> None:
        with pytest.raises(UnknownCountryError):
            public_holidays("ZZ", [2026])


# Dates about which the clocks of these zones change, some at midnight and by odd amounts.
PLACES = [
    (SAIGON, date(2026, 2, 16)),
    (NEW_YORK, date(2026, 3, 8)),
    (NEW_YORK, date(2026, 11, 1)),
    (ZoneInfo("Australia/Lord_Howe"), date(2026, 4, 5)),  # Back by half an hour.
    (ZoneInfo("America/Sao_Paulo"), date(2018, 11, 4)),  # Midnight is skipped.
    (ZoneInfo("America/Sao_Paulo"), date(2018, 2, 18)),  # From midnight back into yesterday.
    (ZoneInfo("America/St_Johns"), date(2009, 11, 1)),  # From 00:01 back into yesterday.
    (ZoneInfo("Pacific/Apia"), date(2011, 12, 30)),  # A whole day is skipped.
]
SPAN = 3 * DAY


@st.composite
def hours(draw: st.DrawFn, unit: int = 60) -> Hours:
    """Up to three intervals; unit 60 keeps them on whole minutes."""
    bounds = st.lists(st.integers(0, 86_400 // unit), max_size=6, unique=True)
    edges = sorted(draw(bounds))
    pairs = zip(edges[::2], edges[1::2], strict=False)
    return tuple(Interval(opens * unit, closes * unit) for opens, closes in pairs)


@st.composite
def calendars(draw: st.DrawFn, unit: int = 60) -> tuple[BusinessCalendar, datetime]:
    """A calendar, and an instant on a whole minute shortly before its clock changes."""
    zone, day = draw(st.sampled_from(PLACES))
    near = st.sampled_from([day + offset * DAY for offset in range(-2, 3)])
    calendar = BusinessCalendar(
        zone=zone,
        weekly=tuple(draw(hours(unit)) for _ in range(7)),
        holidays=frozenset(draw(st.sets(near, max_size=2))),
        overrides=draw(st.dictionaries(near, hours(unit), max_size=2)),
    )
    midnight = datetime(day.year, day.month, day.day, tzinfo=UTC)
    return calendar, midnight + draw(st.integers(-2 * 1440, 0)) * MINUTE


def minutes_open(calendar: BusinessCalendar, start: datetime, span: timedelta) -> Iterator[bool]:
    """The oracle: walk minute by minute with a wall clock that is never turned back."""
    at = start - 2 * DAY
    seen = at.astimezone(calendar.zone).replace(tzinfo=None)
    while at < start + span:
        seen = max(seen, at.astimezone(calendar.zone).replace(tzinfo=None))
        if at >= start:
            today, second = seen.date(), seen.hour * 3600 + seen.minute * 60
            week = () if today in calendar.holidays else calendar.weekly[today.weekday()]
            intervals = calendar.overrides.get(today, week)
            yield any(i.opens <= second < i.closes for i in intervals)
        at += MINUTE


class TestAgainstAMinuteByMinuteWalk:
    @settings(deadline=None)
    @given(calendars(), st.data())
    def test_every_question_has_the_same_answer(
        self, case: tuple[BusinessCalendar, datetime], data: st.DataObject
    ) -> None:
        calendar, start = case
        walk = list(minutes_open(calendar, start, SPAN))
        end = data.draw(st.integers(0, len(walk)), label="minutes until the end")

        elapsed = calendar.business_time_between(start, start + end * MINUTE)
        assert elapsed == sum(walk[:end]) * MINUTE
        for minute in [*range(0, len(walk), 97), *changes(walk)]:
            assert calendar.is_open(start + minute * MINUTE) == walk[minute]
        if any(walk):
            assert calendar.next_opening(start) == start + walk.index(True) * MINUTE
            wanted = data.draw(st.integers(1, sum(walk)), label="open minutes wanted")
            due = calendar.add_business_time(start, wanted * MINUTE)
            open_minutes = [minute for minute, is_open in enumerate(walk) if is_open]
            assert due == start + (open_minutes[wanted - 1] + 1) * MINUTE


def changes(walk: list[bool]) -> Iterator[int]:
    return (index + 1 for index, (one, next_one) in enumerate(pairwise(walk)) if one != next_one)


durations = st.timedeltas(timedelta(0), 20 * DAY)


class TestLaws:
    """What holds to the second, on calendars that open at any second."""

    @settings(deadline=None)
    @given(calendars(unit=1), durations, durations)
    def test_adding_twice_is_adding_the_sum(
        self, case: tuple[BusinessCalendar, datetime], one: timedelta, two: timedelta
    ) -> None:
        calendar, start = case
        open_seconds = sum(i.closes - i.opens for hours in calendar.weekly for i in hours)
        assume(open_seconds >= 3_600)  # A few seconds a week would not reach 40 days in 50 years.
        once = calendar.add_business_time(start, one)
        twice = calendar.add_business_time(once, two)
        assert twice == calendar.add_business_time(start, one + two)
        assert calendar.business_time_between(start, once) == one
        assert calendar.business_time_between(start, twice) == one + two

    @settings(deadline=None)
    @given(calendars(unit=1), durations, durations)
    def test_elapsed_times_add_up(
        self, case: tuple[BusinessCalendar, datetime], one: timedelta, two: timedelta
    ) -> None:
        calendar, a = case
        b, c = a + one, a + one + two
        between = calendar.business_time_between
        assert between(a, b) + between(b, c) == between(a, c)
        assert timedelta(0) <= between(a, c) <= c - a
