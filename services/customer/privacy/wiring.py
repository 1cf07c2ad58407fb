"""What requests and events of this service share for the sake of people's rights."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Uuid, bindparam, delete, func, select, update

from services.customer.consents.evidence import keep_digests
from services.customer.erased.identities import IdentityDigests
from services.customer.following import pair_weighing
from services.customer.imports.erasure import erase_samples
from services.customer.privacy.erasing import Erasing
from services.customer.privacy.models import data_collection
from services.customer.privacy.sources import SourceForgetting
from services.customer.schema import metadata
from shared.contracts.privacy import TableErasure
from shared.db.tables import Instant, part_tables
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.dead_letters import erase_dead_letters
from shared.privacy.part import PartPrivacy
from shared.privacy.person import KnownPerson
from shared.security.keys import RootKey, SecretBox

_PART: Final = "customer"


def _forget_files() -> tuple[Any, Any]:
    """The files that were made of a person's data go, before their seven days are over.

    And the jobs that made them have none any more.
    """
    file, job = part_tables(_PART).job_file, part_tables(_PART).job
    tenant = bindparam("tenant", type_=Uuid)
    jobs = select(data_collection.c.job_id).where(
        data_collection.c.tenant_id == tenant,
        data_collection.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
        data_collection.c.job_id.is_not(None),
    )
    gone: dict[str, Any] = {"files": {}, "files_expire_at": None, "version": job.c.version + 1}
    return (
        delete(file).where(file.c.tenant_id == tenant, file.c.job_id.in_(jobs)),
        update(job)
        .where(job.c.tenant_id == tenant, job.c.id.in_(jobs), job.c.files != {})
        .values(**gone, updated_at=bindparam("now", type_=Instant)),
    )


_FORGET_FILES, _TELL_JOBS = _forget_files()


def customer_privacy(root: RootKey) -> PartPrivacy:
    """This service's answers to requests of people."""
    return PartPrivacy(
        part=_PART,
        metadata=metadata,
        secrets=SecretBox(root),
        erasers=[keep_digests, erase_samples, _erase_files, erase_dead_letters(_PART)],
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


async def _erase_files(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    asked = {"tenant": uow.tenant_id, "ids": list(person.customer_ids)}
    rows = await uow.execute(_FORGET_FILES, asked)
    await uow.execute(_TELL_JOBS, {**asked, "now": uow.clock.now()})
    return [TableErasure(table="job_file", rows=rows, how="deleted")] if rows else []
