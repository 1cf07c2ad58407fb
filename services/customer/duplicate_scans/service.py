"""Starting scans for duplicates, and what a shop decides about them."""

from datetime import datetime, time
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from sqlalchemy import Row

from services.customer.duplicate_scans.errors import ScanRunning
from services.customer.duplicate_scans.repository import ScanRepository
from services.customer.duplicate_scans.schemas import (
    KIND,
    MIN_SCORE,
    DuplicatePolicyPut,
    DuplicatePolicyRead,
    DuplicateScanCreate,
    ScanMode,
)
from shared.db.paging import PageRequest
from shared.db.prepared import Rows
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Forbidden, LostRace
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import JobKinds
from shared.security.sight import Sight
from shared.web.resources import check_version

_NIGHT: Final = time(2)


class ScanService:
    """The scans of one tenant."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        scans: ScanRepository,
        jobs: JobRepository,
        kinds: JobKinds,
        sight: Sight | None = None,
    ) -> None:
        self._uow = uow
        self._scans = scans
        self._jobs = jobs
        self._kinds = kinds
        self._sight = sight

    async def start(self, wanted: DuplicateScanCreate) -> JobRead:
        """A job that scans. Raises ScanRunning; Forbidden for who does not see everybody."""
        self._require_all()
        min_score = wanted.min_score or (await self.policy()).min_score
        return await self._start(wanted.mode, min_score)

    async def start_nightly(self, *, timezone: str) -> bool:
        """Begin the scan of this night if it is due; whether it was."""
        row = await self._scans.policy(lock=True)
        if row is None or not row.nightly or await self._scans.running() is not None:
            return False
        now = self._uow.clock.now().astimezone(ZoneInfo(timezone))
        tonight = datetime.combine(now.date(), _NIGHT, now.tzinfo)
        last = await self._scans.last_begun()
        if now < tonight or (last is not None and last >= tonight):
            return False
        await self._start("changed", row.min_score)
        return True

    async def get(self, scan_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises ScanNotFound."""
        return await self._scans.get(scan_id)

    async def page(self, request: PageRequest) -> tuple[Rows, str | None]:
        """A page of scans, newest first, and the next cursor."""
        return await self._scans.page(request)

    async def policy(self) -> DuplicatePolicyRead:
        """How the shop looks for duplicates by itself: not at all, until it decides otherwise."""
        row = await self._scans.policy()
        if row is None:
            return DuplicatePolicyRead(
                nightly=False, min_score=MIN_SCORE, updated_at=None, version=0
            )
        return DuplicatePolicyRead.model_validate(row._mapping)

    async def decide(
        self, given: DuplicatePolicyPut, *, expected_version: int | None
    ) -> DuplicatePolicyRead:
        """The decision as it is now. Raises PreconditionFailed, Forbidden."""
        self._require_all()
        before = await self._scans.policy(lock=True)
        check_version(before.version if before else 0, expected_version)
        now = self._uow.clock.now()
        columns = {**given.model_dump(), "updated_at": now}
        if before is not None:
            saved = await self._scans.save_policy(columns)
            return DuplicatePolicyRead.model_validate(saved._mapping)
        added = await self._scans.add_policy({**columns, "created_at": now, "version": 1})
        if added is None:
            raise LostRace
        return DuplicatePolicyRead.model_validate(added._mapping)

    async def _start(self, mode: ScanMode, min_score: int) -> JobRead:
        # Without a scan before, everybody was changed since.
        since = await self._scans.last_succeeded() if mode == "changed" else None
        asked = {"mode": mode, "min_score": min_score}
        job_id = await self._jobs.add(
            KIND, detail={**asked, "changed_since": since and since.isoformat()}
        )
        begun = await self._scans.add(job_id, mode=mode, min_score=min_score, changed_since=since)
        if not begun:
            raise ScanRunning(await self._scans.running())
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))

    def _require_all(self) -> None:
        if self._sight is not None:
            raise Forbidden("Scans are for those who see all customers")
