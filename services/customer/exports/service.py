"""Starting exports."""

from typing import Final

from services.customer.customers.selection import Selection
from services.customer.exports.schemas import KIND, ExportCreate
from services.customer.tenants.shops import Shops
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

    def __init__(
        self, uow: UnitOfWork, *, jobs: JobRepository, kinds: JobKinds, shops: Shops
    ) -> None:
        self._uow = uow
        self._shops = shops
        self._jobs = jobs
        self._kinds = kinds

    async def start(self, wanted: ExportCreate, *, principal: Principal) -> JobRead:
        """A job that writes the file.

        Raises Forbidden for callers who do not see everybody, Invalid for conditions on fields
        that there are not.
        """
        if principal.visibility is not Visibility.ALL:
            raise Forbidden("An export is for those who see all customers")
        await self._check(wanted)
        asked = wanted.model_dump(mode="json", exclude_none=True)
        job_id = await self._jobs.add(KIND, detail=asked, file_scopes=SCOPES)
        self._kinds.wake_after_commit(self._uow)
        return self._kinds.described(await self._jobs.get(job_id))

    async def _check(self, wanted: ExportCreate) -> None:
        """What the job could not do is refused while there is somebody to be told."""
        questions = wanted.filter.questions()
        selection = Selection(
            self._uow,
            given=wanted.filter,
            questions=questions,
            sees_personal=True,
            pointer="/body/filter/",
        )
        await selection.wanted(currency=(await self._shops.of(self._uow)).currency)
        await selection.sort(wanted.sort)
