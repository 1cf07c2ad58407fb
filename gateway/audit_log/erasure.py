"""What the audit log says of a person who is erased: that something was done stays, not what.

Entries name whose each object is, but for those of before they did. The objects of these are known
from other entries: whoever was shown a person's address has left both in the log.
"""

from collections.abc import Sequence
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Select,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    column,
    exists,
    func,
    literal,
    or_,
    select,
    union,
    update,
)
from sqlalchemy.dialects.postgresql import JSONB

from gateway.audit_log.models import audit_entry, audit_subject
from shared.contracts.privacy import TableErasure
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson

# These are somebody's always; the others may be nobody's, and are a person's where a person and
# they are all that an entry names.
_ALWAYS_OWNED: Final = ("address", "contact", "identity", "note", "appointment", "interaction")
_OWNED: Final = (*_ALWAYS_OWNED, "lead", "review", "task", "ticket")
_PAIR: Final = 2

# A parameter of a query with its name, as the API has them, and any without one.
_NAME: Final = r"[a-z][a-z_.]{0,40}((\[|%5b)[a-z]{1,10}(\]|%5d))?="
_NAMELESS: Final = rf"(^|&)(?!{_NAME})[^&]*"

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("object_ids", type_=ARRAY(Text))
_NOTHING: Final[dict[str, Any]] = {}


def _theirs() -> Select[Any]:
    """The entries that name a person, or what is theirs by another entry."""
    naming = (
        select(audit_subject.c.entry_id)
        .where(audit_subject.c.tenant_id == _TENANT, audit_subject.c.object_id == func.any(_IDS))
        .cte("naming")
    )
    owned = _owned(select(naming.c.entry_id)).cte("owned")
    further = select(audit_subject.c.entry_id).where(
        audit_subject.c.tenant_id == _TENANT, audit_subject.c.object_id.in_(select(owned.c.id))
    )
    found = union(select(naming.c.entry_id), further).subquery("found")
    return select(found.c.entry_id)


def _owned(naming: Select[Any]) -> Select[Any]:
    """The ids of a person's objects, of entries that name nobody else."""
    entries = audit_entry.alias("seen")
    said = _subjects_of(entries, "said")
    other = _subjects_of(entries, "other")
    with_others = (
        exists()
        .where(other.c.object == "customer", other.c.id != func.all(_IDS))
        .correlate(entries)
    )
    alone = func.jsonb_array_length(entries.c.subjects) == _PAIR
    return (
        select(said.c.id)
        .select_from(entries.join(said, literal(value=True)))
        .where(
            entries.c.tenant_id == _TENANT,
            entries.c.id.in_(naming),
            or_(said.c.object.in_(_ALWAYS_OWNED), and_(said.c.object.in_(_OWNED), alone)),
            ~with_others,
        )
    )


def _subjects_of(entries: Any, name: str) -> Any:
    each = func.jsonb_to_recordset(entries.c.subjects)
    return each.table_valued(column("object", Text), column("id", Text)).render_derived(
        name=name, with_types=True
    )


_query: Final = audit_entry.c.detail["query"].astext
_NAMED: Final = func.regexp_replace(_query, _NAMELESS, r"\1***", "gi")
_NAMES_OF_QUERY: Final = func.regexp_replace(_NAMED, "=[^&]*", "=***", "g", type_=Text)
_ENTRIES: Final = (audit_entry.c.tenant_id == _TENANT, audit_entry.c.id.in_(_theirs()))
_EMPTY: Final = (
    update(audit_entry)
    .where(
        *_ENTRIES,
        audit_entry.c.kind == "change",
        audit_entry.c.changes != bindparam("nothing", _NOTHING, type_=audit_entry.c.changes.type),
    )
    .values(changes=_NOTHING)
)
# Nothing is left in it that JSON would have to escape.
_AS_JSON: Final = cast(literal('"') + _NAMES_OF_QUERY + literal('"'), JSONB)
_HIDE_QUERIES: Final = (
    update(audit_entry)
    .where(*_ENTRIES, _query != _NAMES_OF_QUERY)
    .values(detail=func.jsonb_set(audit_entry.c.detail, cast(["query"], ARRAY(Text)), _AS_JSON))
)


async def erase_changes(uow: UnitOfWork, person: KnownPerson) -> Sequence[TableErasure]:
    """Empty what was said of a person in entries of changes, and whom a query had looked for."""
    ids = [str(customer_id) for customer_id in person.customer_ids]
    asked = {"tenant": uow.tenant_id, "object_ids": ids}
    rows = await uow.execute(_EMPTY, asked) + await uow.execute(_HIDE_QUERIES, asked)
    return [TableErasure(table="audit_entry", rows=rows, how="anonymised")] if rows else []
