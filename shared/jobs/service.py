"""What clients can ask of jobs."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from shared.audit.trail import SENSITIVE
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Forbidden
from shared.jobs.errors import JobFileNotFound, JobNotEnded, JobTransitionNotAllowed
from shared.jobs.files import JobFiles
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import ACTIVE, FileName, JobFileRead, JobRead
from shared.jobs.work import JobKinds
from shared.security.principal import Principal, Visibility
from shared.web.resources import Page


class JobService:
    """The jobs of one tenant in one part."""

    def __init__(self, uow: UnitOfWork, *, schema: str, kinds: JobKinds) -> None:
        self._uow = uow
        self._jobs = JobRepository(uow, schema=schema)
        self._files = JobFiles(uow, schema=schema)
        self._kinds = kinds

    async def get(self, job_id: UUID) -> JobRead:
        """Raises JobNotFound."""
        return self._kinds.described(await self._jobs.get(job_id))

    async def list_page(
        self, request: PageRequest, *, statuses: Sequence[str], kind: str | None
    ) -> Page[JobRead]:
        """Jobs, the newest first."""
        jobs, cursor = await self._jobs.list_page(request, statuses=statuses, kind=kind)
        return Page(data=[self._kinds.described(job) for job in jobs], next_cursor=cursor)

    async def cancel(self, job_id: UUID) -> JobRead:
        """Have a job stop after the batch it is at. Asked again, nothing changes.

        Raises JobNotFound, JobTransitionNotAllowed.
        """
        job = await self._jobs.lock(job_id)
        if job.status in ACTIVE and job.cancel_requested_at is not None:
            return self._kinds.described(job)
        self._check("cancel", job)
        await self._jobs.ask_cancel(job_id)
        self._kinds.wake_after_commit(self._uow)
        return await self.get(job_id)

    async def retry(self, job_id: UUID) -> JobRead:
        """Have a job done from its beginning. Raises JobNotFound, JobTransitionNotAllowed."""
        job = await self._jobs.lock(job_id)
        self._check("retry", job)
        await self._kinds[job.kind].restart(self._uow, job)
        await self._files.forget(job_id)
        await self._jobs.restart(job_id)
        self._kinds.wake_after_commit(self._uow)
        return await self.get(job_id)

    async def file(
        self, job_id: UUID, name: FileName, *, principal: Principal
    ) -> tuple[JobFileRead, Mapping[str, Any]]:
        """What a file of an ended job is, and what is recorded of whoever takes it away.

        Raises JobNotFound, JobNotEnded, JobFileNotFound, Forbidden.
        """
        job = await self._jobs.get(job_id)
        scopes = await self._jobs.file_scopes(job_id)
        principal.require(scopes)
        if scopes and principal.visibility is not Visibility.ALL:
            raise Forbidden("The file is for those who see everybody's work")
        if job.status in ACTIVE:
            raise JobNotEnded(job.status)
        found = job.result if name == "result" else job.errors
        if found is None:
            raise JobFileNotFound
        sensitive = job.detail.get(SENSITIVE)
        return found, {"file": name, **({SENSITIVE: sensitive} if sensitive else {})}

    def _check(self, transition: str, job: JobRead) -> None:
        allowed = self._kinds.allowed(job)
        if transition not in allowed:
            raise JobTransitionNotAllowed(job.status, allowed)
