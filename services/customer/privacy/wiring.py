"""What requests and events of this service share for the sake of people's rights."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, bindparam, delete, func, select, update

from services.customer.consents.evidence import keep_digests
from services.customer.erased.identities import IdentityDigests
from services.customer.following import pair_weighing
from services.customer.imports.erasure import erase_samples
from services.customer.privacy.collecting import Collecting
from services.customer.privacy.erasing import Erasing
from services.customer.privacy.models import data_collection
from services.customer.privacy.sources import SourceForgetting
from services.customer.schema import metadata
from shared.contracts.privacy import TableErasure
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.schemas import ACTIVE
from shared.privacy.dead_letters import erase_dead_letters
from shared.privacy.part import PartPrivacy
from shared.privacy.person import KnownPerson
from shared.security.keys import RootKey, SecretBox

_PART: Final = "customer"


def _about_jobs() -> tuple[Any, Any, Any]:
    """What is done to the jobs that make, or have made, files of a person's data.

    They are stopped. The files go, before their seven days are over, and then the jobs have none.
    """
    file, job = part_tables(_PART).job_file, part_tables(_PART).job
    tenant, now = bindparam("tenant", type_=Uuid), bindparam("now", type_=Instant)
    jobs = select(data_collection.c.job_id).where(
        data_collection.c.tenant_id == tenant,
        data_collection.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
        data_collection.c.job_id.is_not(None),
    )
    theirs = (job.c.tenant_id == tenant, job.c.id.in_(jobs))
    moved: dict[str, Any] = {"version": job.c.version + 1, "updated_at": now}
    is_active = job.c.status.in_([status.value for status in ACTIVE])
    return (
        update(job)
        .where(*theirs, is_active, job.c.cancel_requested_at.is_(None))
        .values(**moved, cancel_requested_at=now, parked=False),
        delete(file).where(file.c.tenant_id == tenant, file.c.job_id.in_(jobs)),
        update(job)
        .where(*theirs, job.c.files != {})
        .values(**moved, files={}, files_expire_at=None),
    )


_STOP_JOBS, _FORGET_FILES, _TELL_JOBS = _about_jobs()


def customer_privacy(root: RootKey) -> PartPrivacy:
    """This service's answers to requests of people."""
    return PartPrivacy(
        part=_PART,
        metadata=metadata,
        secrets=SecretBox(root),
        erasers=[
            *(keep_digests, erase_samples, _end_collections, _erase_files),
            erase_dead_letters(_PART),
        ],
    )


def source_forgetting(uow: UnitOfWork, root: RootKey) -> SourceForgetting:
    """What erases what one platform told."""
    secrets, digests = SecretBox(root), IdentityDigests(root)
    erasing = Erasing(uow=uow, privacy=customer_privacy(root), secrets=secrets, digests=digests)
    return SourceForgetting(
        uow=uow,
        erasing=erasing,
        secrets=secrets,
        digests=digests,
        weighing=pair_weighing(uow),
    )


async def _end_collections(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    """What was told is to be gone, so nobody may go on waiting for the rest of it.

    A job that is stopped here gives its request back to be answered otherwise.
    """
    pieces = await Collecting(uow).end(person.customer_ids)
    asked = {"tenant": uow.tenant_id, "ids": list(person.customer_ids)}
    await uow.execute(_STOP_JOBS, {**asked, "now": uow.clock.now()})
    return [TableErasure(table="data_piece", rows=pieces, how="deleted")] if pieces else []


async def _erase_files(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    asked = {"tenant": uow.tenant_id, "ids": list(person.customer_ids)}
    rows = await uow.execute(_FORGET_FILES, asked)
    await uow.execute(_TELL_JOBS, {**asked, "now": uow.clock.now()})
    return [TableErasure(table="job_file", rows=rows, how="deleted")] if rows else []
