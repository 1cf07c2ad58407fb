"""Where somebody with an address works."""

from collections.abc import Sequence
from dataclasses import dataclass

from gateway.directory.directory import Directory
from gateway.staff.record import StaffRecord
from gateway.staff.repository import StaffRepository
from gateway.tenants.repository import TenantRepository
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId


@dataclass(frozen=True, slots=True)
class Account:
    """A member of staff, and the shop they work for."""

    tenant_id: TenantId
    staff: StaffRecord


class Accounts:
    """Looks people up across shops, each shop in a unit of work of its own."""

    def __init__(self, *, units: UnitsOfWork, directory: Directory) -> None:
        self._units = units
        self._directory = directory

    async def find(self, key: str, *, shop: str | None) -> Sequence[Account]:
        """Where somebody with this address may log in; in one shop, if it is named."""
        tenants = await self._directory.find("staff", key)
        if shop is not None:
            chosen = await self._directory.find_one("shop", shop)
            tenants = [tenant_id for tenant_id in tenants if tenant_id == chosen]
        accounts: list[Account] = []
        for tenant_id in tenants:
            async with self._units.begin(tenant_id) as uow:
                staff = await StaffRepository(uow).find_by_email(key)
            if staff is not None and staff.active:
                accounts.append(Account(tenant_id, staff))
        return accounts

    async def slugs(self, tenants: Sequence[TenantId]) -> list[str]:
        """What the shops are called where one is to be chosen."""
        slugs = []
        for tenant_id in tenants:
            async with self._units.begin(tenant_id) as uow:
                shop = await TenantRepository(uow).find()
            slugs += [shop.slug] if shop else []
        return slugs
