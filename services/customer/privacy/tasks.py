"""The file of a person's data, and reminders of what is due."""

from collections import Counter
from collections.abc import Mapping
from typing import Final
from uuid import UUID

from services.customer.privacy.collecting import Collecting, archive, tables_of
from services.customer.privacy.repository import PrivacyRepository
from services.customer.privacy.requests import PrivacyRequests
from services.customer.privacy.schemas import EXPORT, FORGETTING
from services.customer.privacy.sources import PlatformSource
from services.customer.privacy.views import request_state
from services.customer.privacy.wiring import source_forgetting
from services.customer.tenants.shops import Shops
from shared.contracts.privacy import PrivacyRequestDue, PrivacyRequestUpdated
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.jobs.files import MAX_PART_BYTES, JobFiles
from shared.jobs.schemas import JobRead
from shared.jobs.work import Done, Going, HeldJob, JobKind, Step, Waiting
from shared.queue.worker import Periodic
from shared.security.keys import RootKey

LISTING: Final = "tenants_with_privacy_reminders"
SWEEP_SECONDS: Final = 60.0
_BATCH: Final = 200
_PEOPLE_AT_ONCE: Final = 5


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
        content = archive(
            parts,
            customer_ids=[collection.customer_id],
            at=uow.clock.now(),
            # Jobs of before do not say: theirs is the first.
            file_number=job.detail.get("file_number", 1),
        )
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
        """Half a file is of no use to anybody, nor is what was told for it; the request stands."""
        await JobFiles(uow, schema=self._schema).forget(job.id)
        job.files.clear()
        await Collecting(uow).give_up(UUID(job.detail["collection_id"]))
        requests = PrivacyRepository(uow)
        row = await requests.get(UUID(job.detail["privacy_request_id"]), lock=True)
        if row.closed_at is None:
            row = await requests.save(row.id, {"status": "acknowledged", "job_id": None})
            uow.append(PrivacyRequestUpdated(request=request_state(row)), key=row.id)

    def may_retry(self, _job: JobRead) -> bool:
        """The request is executed again: then every part is asked again."""
        return False


class PlatformForgetting(JobKind):
    """Erases what one platform told of everybody whom it knows; a few people are a step."""

    name = FORGETTING

    def __init__(self, *, root: RootKey, shops: Shops) -> None:
        self._root = root
        self._shops = shops

    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Erase of the next few; the request ends with the last."""
        source = PlatformSource(job.detail["source"], UUID(job.detail["connection_id"]))
        request_id = UUID(job.detail["privacy_request_id"])
        forgetting = source_forgetting(uow, self._root)
        counts = Counter(job.state.get("counts", {}))
        rows = await forgetting.accounts(
            source, after=job.state.get("after", ""), at_most=_PEOPLE_AT_ONCE
        )
        for customer_id in dict.fromkeys(row.customer_id for row in rows):
            became, _ = await forgetting.forget(customer_id, source, request_id=request_id)
            counts[became] += 1
        if rows:
            state = {"after": rows[-1].value, "counts": dict(counts)}
            return Going(done=job.done + len(rows), state=state)
        await self._end(uow, request_id, "completed", outcome=_told(counts))
        return Done(done=job.done, detail=dict(counts))

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:
        """Whoever stops it has decided otherwise; what was erased until then stays so."""
        request_id = UUID(job.detail["privacy_request_id"])
        await self._end(uow, request_id, "cancelled", outcome=None)

    async def _end(
        self, uow: UnitOfWork, request_id: UUID, status: str, *, outcome: str | None
    ) -> None:
        row = await PrivacyRepository(uow).get(request_id, lock=True)
        if row.closed_at is None:
            requests = PrivacyRequests(uow=uow, shop=await self._shops.of(uow))
            await requests.close(row, status, outcome=outcome)


def _told(counts: Mapping[str, int]) -> str:
    """What became of everybody, for people to read."""
    words = {
        "erased": "erased",
        "taken_back": "known to others too, of whom the platform's part was erased",
        "held": "under a legal hold",
    }
    return "; ".join(f"{counts.get(name, 0)} {word}" for name, word in words.items())


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
