"""SQL of the consent ledger."""

from collections.abc import Collection, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, distinct_on, insert

from services.customer.consents.models import consent_record
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

NEWEST_FIRST = (
    SortKey(consent_record.c.changed_at, "changed_at", parse_instant, descending=True),
    SortKey(consent_record.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_COLUMNS = (
    "id",
    "customer_id",
    "purpose",
    "channel",
    "status",
    "source",
    "proof",
    "changed_at",
    "created_at",
)
_records = RowsParameter("record", consent_record, _COLUMNS)
_ADD = (
    insert(consent_record)
    .from_select(["tenant_id", *_COLUMNS], select(_TENANT, *_records.source.c))
    .returning(consent_record.c.id)
)
_MEMBERS = bindparam("members", type_=ARRAY(Uuid))
_SUBJECT = (
    consent_record.c.customer_id,
    consent_record.c.purpose,
    consent_record.c.channel,
)
_LATEST = (
    select(*_SUBJECT, consent_record.c.status, consent_record.c.changed_at)
    .ext(distinct_on(*_SUBJECT))
    .where(
        consent_record.c.tenant_id == _TENANT, consent_record.c.customer_id == func.any(_MEMBERS)
    )
    .order_by(*_SUBJECT, consent_record.c.changed_at.desc(), consent_record.c.id.desc())
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
        self, member_ids: Sequence[UUID], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of what a person ever answered, newest first, and the next cursor."""
        statement = merged_page(
            consent_record,
            list(consent_record.c),
            [Source(lambda member: consent_record.c.customer_id == member, _MEMBERS)],
            where=[consent_record.c.tenant_id == _TENANT],
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, NEWEST_FIRST, request.limit)
