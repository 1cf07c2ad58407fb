"""A new shop: its slug, its row, its owner, and the news of it."""

from gateway.access.passwords import Passwords
from gateway.access.scopes import Role
from gateway.directory.directory import Directory
from gateway.staff.news import tell
from gateway.staff.record import StaffRecord, email_key
from gateway.staff.repository import StaffRepository
from gateway.staff.schemas import StaffCreate, StaffRead
from gateway.staff.service import new_member
from gateway.tenants.errors import SlugTaken
from gateway.tenants.repository import TenantRepository
from gateway.tenants.schemas import TenantCreate, TenantRead
from shared.contracts.gateway import TenantProvisioned, TenantState
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId, new_id


class Provisioning:
    """Creates shops.

    The caller's unit of work is the installation's; the shop's own is opened here, because the
    shop is a tenant of its own. A creation that broke off after the slug was claimed is taken up
    by the next one for the same slug.
    """

    def __init__(self, *, units: UnitsOfWork, directory: Directory, passwords: Passwords) -> None:
        self._units = units
        self._directory = directory
        self._passwords = passwords

    async def create(self, given: TenantCreate) -> TenantRead:
        """The new shop and its owner. Raises SlugTaken."""
        owner = StaffCreate(**given.owner.model_dump(), role=Role.OWNER.value)
        password_hash = await self._passwords.choose(
            given.owner.password.get_secret_value(),
            about=(owner.name, owner.email, given.name, given.slug),
            pointer="/body/owner/password",
        )
        tenant_id = await self._directory.claim("shop", given.slug, TenantId(new_id()))
        if await self._exists(tenant_id):
            raise SlugTaken
        await self._directory.claim("staff", email_key(owner.email), tenant_id)
        state = TenantState(**given.model_dump(exclude={"owner"}))
        async with self._units.begin(tenant_id) as uow:
            record = await self._write(
                uow,
                state,
                new_member(owner, role=Role.OWNER, password_hash=password_hash, uow=uow),
            )
            await uow.commit()
        return TenantRead.of(
            tenant_id, state, created_at=record.created_at, owner=StaffRead.of(record)
        )

    async def _exists(self, tenant_id: TenantId) -> bool:
        async with self._units.begin(tenant_id) as uow:
            return await TenantRepository(uow).find() is not None

    async def _write(self, uow: UnitOfWork, state: TenantState, owner: StaffRecord) -> StaffRecord:
        if not await TenantRepository(uow).add(state):
            raise SlugTaken
        await StaffRepository(uow).add(owner)
        uow.append(TenantProvisioned(tenant=state), key=uow.tenant_id)
        tell(uow, owner)
        return owner
