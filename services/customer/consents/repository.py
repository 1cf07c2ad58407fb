"""SQL of the consent ledger."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.consents.models import consent_record
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
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
_OF_CUSTOMER = select(consent_record).where(
    consent_record.c.tenant_id == _TENANT,
    consent_record.c.customer_id == bindparam("customer_id", type_=Uuid),
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

    async def list_of(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of what a customer ever answered, newest first, and the next cursor."""
        rows = await self._uow.rows(
            page(_OF_CUSTOMER, NEWEST_FIRST, request), {**self._tenant, "customer_id": customer_id}
        )
        return next_cursor(rows, NEWEST_FIRST, request.limit)
