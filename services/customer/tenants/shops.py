"""The shop that a tenant is, as far as customers are concerned."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final, Literal

from services.customer.tenants.repository import TenantRepository
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

ValueTier = Literal["standard", "silver", "gold", "vip"]

_KEPT_FOR: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class ValuePolicy:
    """From how many minor units spent in `currency` on a customer is worth more."""

    currency: str
    silver_from_minor: int
    gold_from_minor: int
    vip_from_minor: int

    def tier(self, spent_minor: int, currency: str) -> ValueTier:
        """What a customer is worth; money of another currency cannot be compared."""
        if currency != self.currency:
            return "standard"
        if spent_minor >= self.vip_from_minor:
            return "vip"
        if spent_minor >= self.gold_from_minor:
            return "gold"
        return "silver" if spent_minor >= self.silver_from_minor else "standard"


@dataclass(frozen=True, slots=True)
class Shop:
    """Defaults of a shop: its money, its clocks, the country whose phone numbers need no prefix."""

    currency: str = "VND"
    country: str = "VN"
    timezone: str = "Asia/Ho_Chi_Minh"
    values: ValuePolicy = ValuePolicy("VND", 5_000_000, 20_000_000, 50_000_000)


class Shops:
    """The shops of this installation, remembered for a minute so that writes need not ask."""

    def __init__(self) -> None:
        self._known: dict[TenantId, tuple[Shop, datetime]] = {}

    async def of(self, uow: UnitOfWork) -> Shop:
        """The shop that works in this unit of work; Vietnamese until it was provisioned."""
        now = uow.clock.now()
        shop, read_at = self._known.get(uow.tenant_id, (None, now))
        if shop is not None and now - read_at < _KEPT_FOR:
            return shop
        row = await TenantRepository(uow).find()
        if row is None:
            return Shop()
        shop = Shop(
            currency=row.currency,
            country=row.country,
            timezone=row.timezone,
            values=ValuePolicy(
                row.value_currency, row.silver_from_minor, row.gold_from_minor, row.vip_from_minor
            ),
        )
        self._known[uow.tenant_id] = (shop, now)
        return shop
