"""Reports of what staff did for customers."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from services.customer.assignment.choosing import Shift
from services.customer.assignment.repository import AssignmentRepository
from services.customer.care_statistics.errors import ReportPeriodNotValid
from services.customer.care_statistics.repository import CareStatisticsRepository, Wanted
from services.customer.care_statistics.schemas import CareFigures, CareStatistics, OutcomeCount
from services.customer.tenants.shops import Shops
from shared.db.unit_of_work import UnitOfWork

_LONGEST: Final = timedelta(days=30)
_Row = Row[*tuple[Any, ...]]
_Who = tuple[UUID | None, UUID | None, date | None]


class CareStatisticsService:
    """What clients may know of the work of the staff whom they see."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        statistics: CareStatisticsRepository,
        rules: AssignmentRepository,
        shops: Shops,
    ) -> None:
        self._uow = uow
        self._rules = rules
        self._statistics = statistics
        self._shops = shops

    async def report(self, first: date | None, last: date | None, wanted: Wanted) -> CareStatistics:
        """The figures of some days, the last seven by default. Raises ReportPeriodNotValid."""
        zone_name = (await self._shops.of(self._uow)).timezone
        zone = ZoneInfo(zone_name)
        last = last or self._uow.clock.now().astimezone(zone).date()
        first = first or last - timedelta(days=6)
        if not first <= last <= first + _LONGEST:
            raise ReportPeriodNotValid
        since = datetime.combine(first, time(), zone)
        until = datetime.combine(last + timedelta(days=1), time(), zone)
        rows = await self._statistics.figures(wanted, since=since, until=until, timezone=zone_name)
        ended: defaultdict[_Who, list[OutcomeCount]] = defaultdict(list)
        for row in await self._statistics.outcomes(
            wanted, since=since, until=until, timezone=zone_name
        ):
            counted = OutcomeCount(of=row.of, kind=row.kind, outcome=row.outcome, count=row.number)
            ended[_who(row)].append(counted)
        at_work = await self._at_work(rows, wanted)
        days = [first + timedelta(days=n) for n in range((last - first).days + 1)]
        return CareStatistics(
            from_=first,
            to=last,
            timezone=zone_name,
            data=[
                _figures(row, at_work, [row.day] if row.day else days, ended[_who(row)])
                for row in rows
            ],
        )

    async def _at_work(self, rows: Sequence[_Row], wanted: Wanted) -> "_AtWork":
        teams = {row.team_id for row in rows if row.team_id is not None}
        members = await self._statistics.members(teams, wanted)
        staff = {row.staff_id for row in rows if row.staff_id is not None}
        named = [*staff.union(*members.values())]
        return _AtWork(
            members=members,
            shifts=await self._rules.shifts(named),
            skills=await self._rules.skills(staff),
        )


@dataclass(frozen=True, slots=True)
class _AtWork:
    """Who works when, in which team, and what they can do."""

    members: Mapping[UUID, Sequence[UUID]]
    shifts: Mapping[UUID, Sequence[Shift]]
    skills: Mapping[UUID, Sequence[str]]

    def minutes(self, row: _Row, days: Sequence[date]) -> int:
        """How long the shifts of these days are, of somebody or of a team."""
        staff = self.members.get(row.team_id, ()) if row.team_id else [row.staff_id]
        per_weekday = Counter[int]()
        for staff_id in staff:
            for shift in self.shifts.get(staff_id, ()):
                per_weekday[shift.weekday] += shift.ends_minute - shift.starts_minute
        return sum(per_weekday[day.isoweekday()] for day in days)


def _who(row: _Row) -> _Who:
    return row.staff_id, row.team_id, row.day


def _figures(
    row: _Row, at_work: _AtWork, days: Sequence[date], ended: Sequence[OutcomeCount]
) -> CareFigures:
    return CareFigures.model_validate(
        {
            **row._mapping,
            "outcomes": ended,
            "skills": at_work.skills.get(row.staff_id, []),
            "shift_minutes": at_work.minutes(row, days),
            "response_seconds": _average(row.waited_seconds, row.customers_contacted),
            "first_answer_seconds": _average(row.answered_seconds, row.tickets_answered),
            "csat_percent": _average(100 * row.happy_ratings, row.ratings),
            "rating_average": round(row.rating_points / row.ratings) / 100 if row.ratings else None,
        }
    )


def _average(total: int, count: int) -> int | None:
    return round(total / count) if count else None
