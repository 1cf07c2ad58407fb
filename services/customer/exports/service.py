"""Starting exports."""

from typing import Final

from services.customer.exports.schemas import KIND, ExportCreate
from shared.db.unit_of_work import UnitOfWork
from shared.errors import Forbidden
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobRead
from shared.jobs.work import JobKinds
from shared.pii import PII_READ
from shared.security.principal import Principal, Visibility

SCOPES: Final = ("customers:read", PII_READ)
"""What it takes to have everybody's data in one file."""


class ExportService:
    """The exports of one tenant."""

    def __init__(self, uow: UnitOfWork, *, jobs: JobRepository, kinds: JobKinds) -> None:
        self._uow = uow
        self._jobs = jobs
        self._kinds = kinds

    async def start(self, wanted: ExportCreate, *, principal: Principal) -> JobRead:
        """A job that writes the file. Raises Forbidden for callers who do not see everybody."""
        if principal.visibility is not Visibility.ALL:
            raise Forbidden("An export is for those who see all customers")
        asked = wanted.model_dump(mode="json", exclude_none=True)
        job_id = await self._jobs.add(KIND, detail=asked, file_scopes=SCOPES)
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))
