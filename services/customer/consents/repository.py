"""SQL of the consent ledger."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, ColumnElement, Row, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import distinct_on, insert

from services.customer.consents.models import consent_record
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST: Final = (
    SortKey(consent_record.c.changed_at, "changed_at", parse_instant, descending=True),
    SortKey(consent_record.c.id, "id", parse_id, descending=True),
)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_AS_OF: Final = bindparam("as_of", type_=Instant)
_KNOWN_AT: Final = bindparam("known_at", type_=Instant)
_OURS: Final = consent_record.c.tenant_id == _TENANT
_COLUMNS: Final = tuple(
    column.name
    for column in consent_record.c
    if column.name not in ("tenant_id", "evidence_digest")
)
_records = RowsParameter("record", consent_record, _COLUMNS)
_ADD: Final = (
    insert(consent_record)
    .from_select(["tenant_id", *_COLUMNS], select(_TENANT, *_records.source.c))
    .returning(consent_record.c.id)
)
# A withdrawal wins over a yes of the same moment.
_IN_FORCE: Final = (
    select(consent_record)
    .ext(distinct_on(consent_record.c.purpose, consent_record.c.channel))
    .where(
        _OURS,
        consent_record.c.customer_id == func.any(_MEMBERS),
        consent_record.c.changed_at <= _AS_OF,
        consent_record.c.created_at <= _KNOWN_AT,
    )
    .order_by(
        consent_record.c.purpose,
        consent_record.c.channel,
        consent_record.c.changed_at.desc(),
        consent_record.c.status.desc(),
        consent_record.c.id.desc(),
    )
)
_SUBJECT: Final = (
    consent_record.c.customer_id,
    consent_record.c.purpose,
    consent_record.c.channel,
)
_LATEST: Final = (
    select(
        *_SUBJECT,
        consent_record.c.status,
        consent_record.c.changed_at,
        consent_record.c.expires_at,
        consent_record.c.frequency,
        consent_record.c.proof,
    )
    .ext(distinct_on(*_SUBJECT))
    .where(_OURS, consent_record.c.customer_id == func.any(_MEMBERS))
    .order_by(
        *_SUBJECT,
        consent_record.c.changed_at.desc(),
        consent_record.c.status.desc(),
        consent_record.c.id.desc(),
    )
)


class ConsentRepository:
    """The consent ledger, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, records: Sequence[dict[str, Any]]) -> None:
        """Append records, all columns but the tenant given."""
        if records:
            await self._uow.rows(_ADD, {**self._tenant, **_records.values(records)})

    async def latest(self, record_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """What each of these records has said last, for each purpose and channel."""
        return await self._uow.rows(_LATEST, {**self._tenant, "members": list(record_ids)})

    async def list_of(
        self,
        member_ids: Sequence[UUID],
        request: PageRequest,
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of what a person ever answered, newest first, and the next cursor."""
        where: list[ColumnElement[bool]] = [_OURS]
        if as_of is not None:
            where.append(consent_record.c.changed_at <= as_of)
        if known_at is not None:
            where.append(consent_record.c.created_at <= known_at)
        statement = merged_page(
            consent_record,
            list(consent_record.c),
            [Source(lambda member: consent_record.c.customer_id == member, _MEMBERS)],
            where=where,
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def in_force(
        self, member_ids: Sequence[UUID], *, as_of: datetime, known_at: datetime
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """What counted at a moment, by what was known at another: one row per purpose, channel."""
        return await self._uow.rows(
            _IN_FORCE,
            {
                **self._tenant,
                "members": list(member_ids),
                "as_of": as_of,
                "known_at": known_at,
            },
        )
