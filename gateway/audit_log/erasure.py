"""What the audit log says of a person who is erased: that something was done stays, not what."""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Text, Uuid, bindparam, func, select, update

from gateway.audit_log.models import audit_entry, audit_subject
from shared.contracts.privacy import TableErasure
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson

_TENANT: Final = bindparam("tenant", type_=Uuid)
_NOTHING: Final[dict[str, Any]] = {}
_ENTRIES: Final = select(audit_subject.c.entry_id).where(
    audit_subject.c.tenant_id == _TENANT,
    audit_subject.c.object_id == func.any(bindparam("object_ids", type_=ARRAY(Text))),
)
_EMPTY: Final = (
    update(audit_entry)
    .where(
        audit_entry.c.tenant_id == _TENANT,
        audit_entry.c.id.in_(_ENTRIES),
        audit_entry.c.kind == "change",
        audit_entry.c.changes != bindparam("nothing", _NOTHING, type_=audit_entry.c.changes.type),
    )
    .values(changes=_NOTHING)
)


async def erase_changes(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    """Empty what was said of a person in entries of changes."""
    ids = [str(customer_id) for customer_id in person.customer_ids]
    rows = await uow.execute(_EMPTY, {"tenant": uow.tenant_id, "object_ids": ids})
    return [TableErasure(table="audit_entry", rows=rows, how="anonymised")] if rows else []
