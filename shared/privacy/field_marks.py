"""Which of its own fields a shop has marked as personal, as a part was told that shows values.

A row stays when its field is deleted: what was said under its key before is still to be found in
events and in the audit log.
"""

from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import BigInteger, Column, MetaData, Select, Table, Text, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from shared.contracts.customer import CustomFieldDefined
from shared.db.tables import part_metadata, tenant_column
from shared.db.unit_of_work import UnitOfWork
from shared.pii import FieldMarks
from shared.privacy.registry import impersonal
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply

ReadMarks = Callable[[UnitOfWork], Awaitable[FieldMarks]]
_NAME: Final = "field_mark"


def field_mark_table(metadata: MetaData) -> Table:
    """The table of marks in a part's schema."""
    marks = Table(
        _NAME,
        metadata,
        tenant_column(),
        Column("key", Text, primary_key=True),
        Column("field_id", Uuid, nullable=False),
        Column("sensitivity", Text, nullable=False),
        Column("version", BigInteger, nullable=False),
    )
    impersonal(marks, "what the shop wants to know of everybody")
    return marks


def keep_field_marks(part: str) -> Apply:
    """The reaction to fields being defined; of two fields of one key the later one counts."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            field = envelope.read(CustomFieldDefined).field
            await uow.execute(_keep(part), {"tenant_id": uow.tenant_id, **field.model_dump()})

    return apply


def told_marks(part: str) -> ReadMarks:
    """Reads the marks that a part was told of."""

    async def read(uow: UnitOfWork) -> FieldMarks:
        rows = await uow.rows(_marks(part), {"tenant": uow.tenant_id})
        return {row.key: row.sensitivity for row in rows}

    return read


def _table(part: str) -> Table:
    return part_metadata(part).tables[f"{part}.{_NAME}"]


@lru_cache
def _marks(part: str) -> Select[Any]:
    known = _table(part)
    return select(known.c.key, known.c.sensitivity).where(
        known.c.tenant_id == bindparam("tenant", type_=Uuid), known.c.sensitivity != "none"
    )


@lru_cache
def _keep(part: str) -> Any:
    known = _table(part)
    given = insert(known)
    new = given.excluded
    is_later = (new.field_id > known.c.field_id) | (
        (new.field_id == known.c.field_id) & (new.version > known.c.version)
    )
    return given.on_conflict_do_update(
        index_elements=["tenant_id", "key"],
        set_={name: new[name] for name in ("field_id", "sensitivity", "version")},
        where=is_later,
    )
