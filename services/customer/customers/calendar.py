"""How long ago something was, in the days of the shop."""

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from typing import Self
from zoneinfo import ZoneInfo

from services.customer.tenants.shops import Shop

_zone = cache(ZoneInfo)


@dataclass(frozen=True, slots=True)
class Calendar:
    """What time it is, and what day where the shop is."""

    zone: ZoneInfo
    today: date
    now: datetime

    @classmethod
    def of(cls, shop: Shop, now: datetime) -> Self:
        """The shop's calendar at this moment."""
        zone = _zone(shop.timezone)
        return cls(zone, now.astimezone(zone).date(), now)

    def days_since(self, at: datetime | None) -> int | None:
        """Days of the calendar from then to today: 1 for yesterday, however late it was."""
        if at is None:
            return None
        return max((self.today - at.astimezone(self.zone).date()).days, 0)
