"""Reports of what staff did for customers."""

from datetime import date, datetime, time, timedelta
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from services.customer.care_statistics.errors import ReportPeriodNotValid
from services.customer.care_statistics.repository import CareStatisticsRepository
from services.customer.care_statistics.schemas import CareFigures, CareStatistics
from services.customer.tenants.shops import Shops
from shared.db.unit_of_work import UnitOfWork

_LONGEST: Final = timedelta(days=30)


class CareStatisticsService:
    """What clients may know of the work of the staff whom they see."""

    def __init__(
        self, *, uow: UnitOfWork, statistics: CareStatisticsRepository, shops: Shops
    ) -> None:
        self._uow = uow
        self._statistics = statistics
        self._shops = shops

    async def report(
        self, first: date | None, last: date | None, *, staff_id: UUID | None
    ) -> CareStatistics:
        """The figures of some days, the last seven by default. Raises ReportPeriodNotValid."""
        zone_name = (await self._shops.of(self._uow)).timezone
        zone = ZoneInfo(zone_name)
        last = last or self._uow.clock.now().astimezone(zone).date()
        first = first or last - timedelta(days=6)
        if not first <= last <= first + _LONGEST:
            raise ReportPeriodNotValid
        rows = await self._statistics.figures(
            since=datetime.combine(first, time(), zone),
            until=datetime.combine(last + timedelta(days=1), time(), zone),
            timezone=zone_name,
            staff_id=staff_id,
        )
        return CareStatistics(
            from_=first, to=last, timezone=zone_name, data=[_figures(row) for row in rows]
        )


def _figures(row: Row[*tuple[Any, ...]]) -> CareFigures:
    contacted = row.customers_contacted
    response = round(row.waited_seconds / contacted) if contacted else None
    return CareFigures.model_validate({**row._mapping, "response_seconds": response})
