"""What is left of the proof of a consent when the person is erased: its digest."""

import hashlib
from collections.abc import Sequence
from typing import Final

import orjson
from sqlalchemy import ARRAY, Uuid, bindparam, func, select, update

from services.customer.consents.models import consent_record
from shared.contracts.privacy import TableErasure
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson

_TENANT: Final = bindparam("tenant", type_=Uuid)
_digests = RowsParameter("digest", consent_record, ("id", "evidence_digest"))
_PROVED: Final = select(consent_record.c.id, consent_record.c.proof).where(
    consent_record.c.tenant_id == _TENANT,
    consent_record.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
    consent_record.c.evidence_digest.is_(None),
)
_KEEP: Final = (
    update(consent_record)
    .where(consent_record.c.tenant_id == _TENANT, consent_record.c.id == _digests.source.c.id)
    .values(evidence_digest=_digests.source.c.evidence_digest)
)


async def keep_digests(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    """Take the digests of a person's proofs, which are erased with everything else.

    Whoever shows what was agreed to once can so be told whether it was that.
    """
    asked = {"tenant": uow.tenant_id, "ids": list(person.customer_ids)}
    rows = [
        {"id": row.id, "evidence_digest": evidence_digest(row.proof)}
        for row in await uow.rows(_PROVED, asked)
        if row.proof
    ]
    if rows:
        await uow.execute(_KEEP, {"tenant": uow.tenant_id, **_digests.values(rows)})
    return []


def evidence_digest(proof: dict[str, object]) -> str:
    """SHA-256 of the proof as JSON with sorted keys and no spaces, in hexadecimal digits."""
    return hashlib.sha256(orjson.dumps(proof, option=orjson.OPT_SORT_KEYS)).hexdigest()
