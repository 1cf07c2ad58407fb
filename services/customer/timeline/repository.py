"""SQL of the timeline."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, bindparam, column, exists, func, or_, select, table
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.colleagues.sight import customer_is_seen
from services.customer.timeline.entries import Entry
from services.customer.timeline.models import timeline_entry
from shared.db.paging import (
    PageRequest,
    SortKey,
    keyset,
    keyset_values,
    next_cursor,
    parse_id,
    parse_instant,
)
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST = (
    SortKey(timeline_entry.c.occurred_at, "occurred_at", parse_instant, descending=True),
    SortKey(timeline_entry.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_COLUMNS = ("id", "customer_id", "type", "source", "occurred_at", "data")
_customer = table("customer", column("tenant_id", Uuid), column("id", Uuid), schema="customer")

NEW_ENTRIES = RowsParameter("entry", timeline_entry, _COLUMNS)
# For entries of customers that are known to be there; other slices make it part of their own
# statements, to spare a round trip.
ADD_ENTRIES = (
    insert(timeline_entry)
    .from_select(["tenant_id", *_COLUMNS], select(_TENANT, *NEW_ENTRIES.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
    .returning(timeline_entry.c.id)
)
_of_known_customers = (
    select(*NEW_ENTRIES.source.c)
    .join_from(
        NEW_ENTRIES.source,
        _customer,
        (_customer.c.tenant_id == _TENANT) & (_customer.c.id == NEW_ENTRIES.source.c.customer_id),
    )
    .cte("of_known_customers")
    .prefix_with("MATERIALIZED")
)
_ADD_OF_KNOWN_CUSTOMERS = (
    insert(timeline_entry)
    .from_select(["tenant_id", *_COLUMNS], select(_TENANT, *_of_known_customers.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
    .returning(timeline_entry.c.id)
)
_TYPES = bindparam("types", type_=ARRAY(Text))
_OF_CUSTOMER = select(timeline_entry).where(
    timeline_entry.c.tenant_id == _TENANT,
    timeline_entry.c.customer_id == bindparam("customer_id", type_=Uuid),
    or_(_TYPES.is_(None), timeline_entry.c.type == func.any(_TYPES)),
)
_HAS_ENTRIES = select(
    exists().where(
        timeline_entry.c.tenant_id == _TENANT,
        timeline_entry.c.customer_id == bindparam("customer_id", type_=Uuid),
    )
)
_CUSTOMER_ID = bindparam("customer_id", type_=Uuid)
_IS_SEEN = {
    of_teams: select(customer_is_seen(_CUSTOMER_ID, of_teams=of_teams))
    for of_teams in (False, True)
}
_PAGES = {
    continued: keyset(_OF_CUSTOMER, NEWEST_FIRST, continued=continued)
    for continued in (False, True)
}


class TimelineRepository:
    """Entries, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(self, entries: Sequence[Entry]) -> int:
        """Keep entries of customers that exist; how many were new. Others are passed over."""
        if not entries:
            return 0
        parameters = NEW_ENTRIES.values(entry.as_row() for entry in entries)
        added = await self._uow.rows(
            _ADD_OF_KNOWN_CUSTOMERS, {"tenant": self._uow.tenant_id, **parameters}
        )
        return len(added)

    async def list_of(
        self, customer_id: UUID, types: Sequence[str] | None, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a customer's entries (of some types only), newest first; the next cursor."""
        wanted = {"tenant": self._uow.tenant_id, "customer_id": customer_id, "types": types}
        rows = await self._uow.rows(
            _PAGES[request.cursor is not None], wanted | keyset_values(NEWEST_FIRST, request)
        )
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def has_entries(self, customer_id: UUID) -> bool:
        """Whether anything is known to have happened to a customer."""
        wanted = {"tenant": self._uow.tenant_id, "customer_id": customer_id}
        return bool(await self._uow.scalar(_HAS_ENTRIES, wanted))

    async def is_seen(self, customer_id: UUID, sight: Sight) -> bool:
        """Whether a customer is there for somebody who does not see all."""
        wanted = {"tenant": self._uow.tenant_id, "customer_id": customer_id, **sight.parameters()}
        return bool(await self._uow.scalar(_IS_SEEN[sight.of_teams], wanted))
