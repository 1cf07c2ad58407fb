"""The shop that a tenant is, as far as customers are concerned."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from services.customer.tenants.repository import TenantRepository
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

_KEPT_FOR: Final = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Shop:
    """Defaults of a shop: its money, and the country whose phone numbers need no prefix."""

    currency: str = "VND"
    country: str = "VN"


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
        shop = Shop(currency=row.currency, country=row.country)
        self._known[uow.tenant_id] = (shop, now)
        return shop
