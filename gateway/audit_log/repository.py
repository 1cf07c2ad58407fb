"""SQL of the audit log. Entries are added set-wise, as they arrive."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Row, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from gateway.audit_log.models import audit_entry, audit_subject
from gateway.audit_log.schemas import AUDIT_COLUMNS
from shared.contracts.audit import AuditKind, AuditRecord
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(audit_entry.c.at, "at", parse_instant, descending=True),
    SortKey(audit_entry.c.id, "id", parse_id, descending=True),
)
_TENANT = bindparam("tenant", type_=Uuid)
_entries = RowsParameter("entry", audit_entry, AUDIT_COLUMNS)
_subjects = RowsParameter("subject", audit_subject, ("object_id", "at", "entry_id"))


def _add_subjects() -> Any:
    return (
        insert(audit_subject)
        .from_select(["tenant_id", *_subjects.columns], select(_TENANT, *_subjects.source.c))
        .on_conflict_do_nothing(index_elements=["tenant_id", "object_id", "at", "entry_id"])
        .returning(audit_subject.c.entry_id)
    )


# One round trip for both; whatever comes a second time is there already.
_ADD = (
    insert(audit_entry)
    .from_select(["tenant_id", *_entries.columns], select(_TENANT, *_entries.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
    .returning(audit_entry.c.id)
    .add_cte(_add_subjects().cte("new_subject"))
)
_LIST = select(*[audit_entry.c[name] for name in AUDIT_COLUMNS]).where(
    audit_entry.c.tenant_id == _TENANT
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditFilter:
    """Which entries; all that is given must hold."""

    kind: AuditKind | None = None
    action: str | None = None
    actor_id: str | None = None
    object_id: str | None = None
    request_id: str | None = None
    since: datetime | None = None
    until: datetime | None = None


class AuditLogRepository:
    """The audit log of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, told: Iterable[tuple[str, AuditRecord]]) -> None:
        """Keep records, each with the part that told of it."""
        records = list(told)
        subjects = {
            (subject["id"], record.at, record.id): None
            for _part, record in records
            for subject in record.subjects
        }
        await self._uow.rows(
            _ADD,
            {
                "tenant": self._uow.tenant_id,
                **_entries.values(_as_row(part, record) for part, record in records),
                **_subjects.values(
                    dict(zip(_subjects.columns, values, strict=True)) for values in subjects
                ),
            },
        )

    async def list_newest(
        self, wanted: AuditFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of entries, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(
            page(_LIST.where(*_conditions(wanted)), NEWEST, request),
            {"tenant": self._uow.tenant_id},
        )
        return next_cursor(rows, NEWEST, request.limit)


def _as_row(part: str, record: AuditRecord) -> dict[str, Any]:
    return {
        **record.model_dump(mode="json", include={"subjects", "changes", "detail"}),
        **{
            name: getattr(record, name)
            for name in AUDIT_COLUMNS
            if name not in ("part", "subjects", "changes", "detail")
        },
        "part": part,
    }


def _conditions(wanted: AuditFilter) -> list[ColumnElement[bool]]:
    equal = {
        name: value
        for name in ("kind", "action", "actor_id", "request_id")
        if (value := getattr(wanted, name)) is not None
    }
    conditions: list[ColumnElement[bool]] = [
        audit_entry.c[name] == value for name, value in equal.items()
    ]
    if wanted.since is not None:
        conditions.append(audit_entry.c.at >= wanted.since)
    if wanted.until is not None:
        conditions.append(audit_entry.c.at < wanted.until)
    if wanted.object_id is not None:
        named = select(audit_subject.c.entry_id).where(
            audit_subject.c.tenant_id == _TENANT, audit_subject.c.object_id == wanted.object_id
        )
        conditions.append(audit_entry.c.id.in_(named))
    return conditions
