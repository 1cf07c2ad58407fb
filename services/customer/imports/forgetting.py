"""Forgetting files that were never taken in, and what imports changed long ago: two sweeps."""

from datetime import timedelta
from typing import Final

from services.customer.imports.file_repository import ImportFileRepository
from services.customer.imports.outcomes import without_samples
from services.customer.imports.repository import ImportRepository
from services.customer.imports.row_repository import ImportRowRepository
from services.customer.imports.stages import AT_WORK, given_up
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_import_files"
TO_FORGET: Final = "tenants_with_imports_to_forget"
_FORGET_SECONDS: Final = 1800.0
_BATCH: Final = 2000
_ONE_DAY: Final = timedelta(days=1)


class ImportFiles:
    """Forgets files that were sent and never taken in."""

    def __init__(self, units_of_work: UnitsOfWork) -> None:
        self._units = units_of_work

    async def forget(self) -> None:
        """Delete the files whose time has come."""
        await in_every_tenant(self._units, LISTING, self._forget_of)

    async def _forget_of(self, tenant_id: TenantId) -> None:
        async with self._units.begin(tenant_id) as uow:
            imports, files = ImportRepository(uow), ImportFileRepository(uow)
            for import_id in await imports.expired():
                found = await imports.get(import_id, lock=True)
                if found.status in AT_WORK:
                    later = uow.clock.now() + _ONE_DAY
                    await imports.save(import_id, {"files_expire_at": later})
                    continue
                await files.forget_pieces(import_id)
                await files.forget_chunks(import_id)
                await imports.save(import_id, given_up(found))
            await uow.commit()


class ImportForgetting:
    """Forgets what rows changed, and samples, of imports that are taken back no more.

    It ends with the first row that is forgotten; killed, the next sweep goes on there.
    """

    def __init__(self, units_of_work: UnitsOfWork, *, kept: timedelta, batch: int = _BATCH) -> None:
        self._units = units_of_work
        self._kept = kept
        self._batch = batch

    async def sweep(self) -> None:
        """Forget in every shop that has something to be forgotten."""
        await in_every_tenant(self._units, TO_FORGET, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> None:
        """Forget in one shop, some rows at a time."""
        while await self._forget_some(tenant_id):
            pass

    async def _forget_some(self, tenant_id: TenantId) -> bool:
        async with self._units.begin(tenant_id) as uow:
            imports = ImportRepository(uow)
            found = await imports.find_to_forget(before=uow.clock.now() - self._kept)
            if found is None:
                return False
            row = await ImportRowRepository(uow).forget_changes(
                found.id, after=found.forgotten_to or 0, at_most=self._batch
            )
            if row is None:
                await imports.forget_to(found.id, found.forgotten_to or 0)
                await imports.forget(found.id, without_samples(found))
            else:
                await imports.forget_to(found.id, row)
            await uow.commit()
        return True


def import_forgetting(forgetting: ImportForgetting) -> Periodic:
    """What an import changed is not kept for ever."""
    return Periodic("imports.forget_changes", _FORGET_SECONDS, forgetting.sweep)


def import_files_sweep(files: ImportFiles) -> Periodic:
    """Files are not kept for ever."""
    return Periodic("imports.forget", _FORGET_SECONDS, files.forget)
