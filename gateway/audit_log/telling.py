"""Who did what with a person's data, for the person who asks."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from sqlalchemy import ARRAY, Row, Text, Uuid, bindparam, func, select

from gateway.audit_log.models import audit_entry, audit_subject
from shared.contracts.privacy import TableShare
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson

_TOLD: Final = ("id", "at", "part", "kind", "action", "actor_kind", "actor_id")
_TENANT: Final = bindparam("tenant", type_=Uuid)
_NAMING_THEM: Final = (
    audit_entry.c.tenant_id == _TENANT,
    audit_entry.c.id.in_(
        select(audit_subject.c.entry_id).where(
            audit_subject.c.tenant_id == _TENANT,
            audit_subject.c.object_id == func.any(bindparam("object_ids", type_=ARRAY(Text))),
        )
    ),
)
_COUNT: Final = select(func.count()).select_from(audit_entry).where(*_NAMING_THEM)
_READ: Final = (
    select(*(audit_entry.c[name] for name in (*_TOLD, "subjects", "changes")))
    .where(*_NAMING_THEM)
    .order_by(audit_entry.c.at, audit_entry.c.id)
)


async def tell_entries(
    uow: UnitOfWork, person: KnownPerson, *, with_rows: bool
) -> Sequence[TableShare]:
    """What was done with a person's data, by whom and when.

    A list that was read names others, too, who are left out; what was changed is told where an
    entry is about nobody else.
    """
    ids = {str(customer_id) for customer_id in person.customer_ids}
    asked = {"tenant": uow.tenant_id, "object_ids": sorted(ids)}
    if with_rows:
        rows = [_told(row, ids) for row in await uow.rows(_READ, asked)]
        found = len(rows)
    else:
        rows, found = [], int(await uow.scalar(_COUNT, asked))
    if not found:
        return []
    share = TableShare(
        table="audit_entry",
        rows_found=found,
        rows=tuple(rows),
        on_erasure="anonymised",
        kept={"action": "that something was done, by whom and when"},
    )
    return [share]


def _told(row: Row[*tuple[Any, ...]], ids: Collection[str]) -> dict[str, Any]:
    named = {subject["id"] for subject in row.subjects if subject["object"] == "customer"}
    changes: Mapping[str, Any] = row.changes if named <= set(ids) else {}
    return {**{name: getattr(row, name) for name in _TOLD}, "changes": dict(changes)}
