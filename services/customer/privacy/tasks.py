"""The file of a person's data, and reminders of what is due."""

from typing import Final
from uuid import UUID

from services.customer.privacy.collecting import Collecting, archive, tables_of
from services.customer.privacy.repository import PrivacyRepository
from services.customer.privacy.schemas import EXPORT
from services.customer.privacy.views import request_state
from shared.contracts.privacy import PrivacyRequestDue
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.jobs.files import MAX_PART_BYTES, JobFiles
from shared.jobs.work import Done, HeldJob, JobKind, Step, Waiting
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_privacy_reminders"
SWEEP_SECONDS: Final = 60.0
_BATCH: Final = 200


class PersonalDataExport(JobKind):
    """One machine-readable file of everything that the house has of a person.

    It waits until every part has told its share, however long one of them is away.
    """

    name = EXPORT

    def __init__(self, *, schema: str) -> None:
        self._schema = schema

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Write the file, once everything is there."""
        collecting = Collecting(uow)
        collection_id = UUID(job.detail["collection_id"])
        collection = await collecting.get(collection_id)
        if collection.finished_at is None:
            return Waiting()
        parts = tables_of(await collecting.pieces(collection_id))
        content = archive(parts, customer_ids=[collection.customer_id], at=uow.clock.now())
        files = JobFiles(uow, schema=self._schema)
        rows = sum(len(table["rows"]) for tables in parts.values() for table in tables.values())
        for start in range(0, len(content), MAX_PART_BYTES):
            await files.write(
                job,
                "result",
                content[start : start + MAX_PART_BYTES],
                rows=rows if start == 0 else 0,
                file_name="personal-data.zip",
                media_type="application/zip",
            )
        await collecting.forget(collection_id)
        return Done(done=rows)

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Half a file is of no use to anybody."""
        await JobFiles(uow, schema=self._schema).forget(job.id)
        job.files.clear()


class PrivacyReminders:
    """Tells once of every open request whose time is about to run out."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def sweep(self) -> None:
        """Tell in every shop that has something to be reminded of."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> int:
        """Tell in one shop; of how many. The event and the note of it are one transaction."""
        reminded = 0
        while True:
            async with self._units.begin(tenant_id) as uow:
                rows = await PrivacyRepository(uow).take_reminders(at_most=_BATCH)
                for row in rows:
                    uow.append(PrivacyRequestDue(request=request_state(row)), key=row.id)
                await uow.commit()
            reminded += len(rows)
            if len(rows) < _BATCH:
                return reminded


def privacy_reminders(reminders: PrivacyReminders) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("privacy.remind", SWEEP_SECONDS, reminders.sweep)
