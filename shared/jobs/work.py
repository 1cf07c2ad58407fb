"""What a kind of job consists of: steps, each one transaction.

    class Export(JobKind):
        name = "customer_export"

        async def step(self, uow, job):
            ...                                  # the next batch, written with `uow`
            return Going(done=job.done + 500, state={"after": str(last)})

The runner holds the job's row while a step runs and writes what it returns in the same transaction,
so a step takes effect once or not at all, and whoever goes on after a crash goes on exactly there.
"""

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.jobs.schemas import JobRead, JobStatus, Transition

Wake = Callable[[TenantId], Awaitable[None]]


@dataclass(slots=True)
class HeldJob:
    """A job in the hands of a worker; its row is locked."""

    id: UUID
    kind: str
    done: int
    total: int | None
    detail: dict[str, Any]
    state: dict[str, Any]
    attempts: int
    is_cancelled: bool
    files: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Going:
    """There is more to do. What is None stays as it is."""

    done: int | None = None
    total: int | None = None
    state: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Waiting:
    """Nothing can be done until somebody calls `JobRepository.resume`."""


@dataclass(frozen=True, slots=True)
class Done:
    """It has succeeded; `detail` is added to what clients see of it."""

    done: int | None = None
    detail: Mapping[str, Any] = field(default_factory=dict)


Step = Going | Waiting | Done


class JobKind(ABC):
    """Work of one kind, in the worker and for the clients that watch it."""

    name: str

    @abstractmethod
    async def step(self, uow: UnitOfWork, job: HeldJob) -> Step:
        """Do the next bit of work, in a second or less. Raises GivenUp when that is hopeless."""

    async def clean_up(self, uow: UnitOfWork, job: HeldJob) -> None:  # noqa: B027
        """The job was cancelled or has failed for good: remove what nobody needs any more."""

    async def restart(self, uow: UnitOfWork, job: JobRead) -> None:  # noqa: B027
        """Make ready to begin anew. Raises a Conflict when that is not possible."""

    def may_cancel(self, _job: JobRead) -> bool:
        """Whether a client may stop it half-way."""
        return True

    def may_retry(self, _job: JobRead) -> bool:
        """Whether a client may have it done again after it failed or was cancelled."""
        return True


class JobKinds:
    """The kinds of one part, and how its worker is woken."""

    def __init__(self, kinds: Iterable[JobKind] = (), *, wake: Wake | None = None) -> None:
        self._kinds = {kind.name: kind for kind in kinds}
        self._wake = wake

    @property
    def names(self) -> list[str]:
        """The names of the kinds."""
        return list(self._kinds)

    def __getitem__(self, name: str) -> JobKind:
        return self._kinds[name]

    def wake_after_commit(self, uow: UnitOfWork) -> None:
        """Have the worker look for work once `uow` is durable."""
        wake, tenant_id = self._wake, uow.tenant_id
        if wake is not None:
            uow.after_commit(lambda: wake(tenant_id))

    def allowed(self, job: JobRead) -> list[Transition]:
        """What may be asked of a job now."""
        kind = self._kinds.get(job.kind)
        if kind is None:
            return []
        match job.status:
            case JobStatus.QUEUED | JobStatus.RUNNING:
                stoppable = job.cancel_requested_at is None and kind.may_cancel(job)
                return ["cancel"] if stoppable else []
            case JobStatus.FAILED | JobStatus.CANCELLED:
                return ["retry"] if kind.may_retry(job) else []
            case JobStatus.SUCCEEDED:
                return []

    def described(self, job: JobRead) -> JobRead:
        """The job with what may be asked of it."""
        return job.model_copy(update={"allowed_transitions": self.allowed(job)})
