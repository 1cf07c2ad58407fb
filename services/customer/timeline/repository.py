"""SQL of the timeline."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Integer,
    Row,
    Select,
    Text,
    Uuid,
    bindparam,
    column,
    exists,
    func,
    literal_column,
    select,
    table,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB, insert

from services.customer.colleagues.sight import customer_is_seen
from services.customer.timeline.entries import Entry
from services.customer.timeline.models import timeline_entry
from services.customer.timeline.titles import types_of_kind
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
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST = (
    SortKey(timeline_entry.c.occurred_at, "occurred_at", parse_instant, descending=True),
    SortKey(timeline_entry.c.id, "id", parse_id, descending=True),
)

_TENANT = bindparam("tenant", type_=Uuid)
_OF_ORDERS: Final = {"order_id": Text, "giver_id": Uuid, "receiver_id": Uuid}
_EVER = datetime.min.replace(tzinfo=UTC)
_NEVER = datetime.max.replace(tzinfo=UTC)
_COLUMNS = ("id", "customer_id", "type", "source", "occurred_at", "data")
_customer = table(
    "customer",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("merged_into", Uuid),
    schema="customer",
)

NEW_ENTRIES = RowsParameter("entry", timeline_entry, _COLUMNS)
# For entries of customers that are known to be there; other slices make it part of their own
# statements, to spare a round trip.
ADD_ENTRIES = (
    insert(timeline_entry)
    .from_select(["tenant_id", *_COLUMNS], select(_TENANT, *NEW_ENTRIES.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "id"])
    .returning(timeline_entry.c.id)
)
# One after the other by their ids: a join could be planned as a walk over everybody.
_known_customer = (
    select(_customer.c.id)
    .where(_customer.c.tenant_id == _TENANT, _customer.c.id == NEW_ENTRIES.source.c.customer_id)
    .limit(literal_column("1", Integer))
    .lateral("known_customer")
)
_of_known_customers = (
    select(*NEW_ENTRIES.source.c)
    .join_from(NEW_ENTRIES.source, _known_customer, true())
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
_CUSTOMER_ID = bindparam("customer_id", type_=Uuid)
_named = _customer.alias("named")
# Who stands for the customer that is named; nobody when there is no such customer.
_ROOT = (
    select(func.coalesce(_named.c.merged_into, _named.c.id))
    .where(_named.c.tenant_id == _TENANT, _named.c.id == _CUSTOMER_ID)
    .scalar_subquery()
)
_IS_SEEN = {
    of_teams: select(customer_is_seen(_ROOT, of_teams=of_teams)) for of_teams in (False, True)
}
_IS_KNOWN = select(exists().where(_customer.c.tenant_id == _TENANT, _customer.c.id == _CUSTOMER_ID))
_HANDED_ON = (
    func.unnest(
        *(bindparam(name, type_=ARRAY(type_)) for name, type_ in _OF_ORDERS.items()),
    )
    .table_valued(*(column(name, type_) for name, type_ in _OF_ORDERS.items()))
    .render_derived(name="handed_on")
)
_OF_TYPES = func.unnest(_TYPES).table_valued(column("type", Text)).render_derived(name="of_types")
_MOST_OF_A_TYPE: Final = 100
_entry = timeline_entry.alias("entry")
# Each type of each customer is a range of its own in an index, as in the pages.
_found = (
    select(_entry.c.id)
    .where(
        _entry.c.tenant_id == _TENANT,
        _entry.c.customer_id == _HANDED_ON.c.giver_id,
        _entry.c.type == _OF_TYPES.c.type,
        _entry.c.data["order_id"].astext == _HANDED_ON.c.order_id,
    )
    .order_by(_entry.c.occurred_at.desc(), _entry.c.id.desc())
    .limit(literal_column(str(_MOST_OF_A_TYPE), Integer))
    .lateral("found")
)
_telling = (
    select(_found.c.id, _HANDED_ON.c.receiver_id)
    .select_from(_HANDED_ON.join(_OF_TYPES, true()).join(_found, true()))
    .cte("telling")
    .prefix_with("MATERIALIZED")
)
HAND_ON = (
    update(timeline_entry)
    .values(customer_id=_telling.c.receiver_id)
    .where(timeline_entry.c.tenant_id == _TENANT, timeline_entry.c.id == _telling.c.id)
)
_REWRITE = (
    update(timeline_entry)
    .values(data=bindparam("new_data", type_=JSONB), customer_id=_CUSTOMER_ID)
    .where(timeline_entry.c.tenant_id == _TENANT, timeline_entry.c.id == bindparam("entry_id"))
)


def _page_of_person(*, of_types: bool, in_period: bool, continued: bool) -> Select[Any]:
    """The newest of all records of a person, each read by index as far as the page needs.

    With types, each type of each record is a range of its own in an index: a rare one among very
    many others costs no more than among few.
    """
    members = union_all(
        select(_named.c.id).where(_named.c.tenant_id == _TENANT, _named.c.id == _ROOT),
        select(_customer.c.id).where(
            _customer.c.tenant_id == _TENANT, _customer.c.merged_into == _ROOT
        ),
    ).subquery("member")
    conditions = [
        timeline_entry.c.tenant_id == _TENANT,
        timeline_entry.c.customer_id == members.c.id,
    ]
    if in_period:
        conditions.append(timeline_entry.c.occurred_at < bindparam("occurred_until", type_=Instant))
    ranges: Any = members
    if of_types:
        types = func.unnest(_TYPES).table_valued(column("type", Text)).render_derived(name="wanted")
        conditions.append(timeline_entry.c.type == types.c.type)
        ranges = members.join(types, true())
    columns = [timeline_entry.c[name] for name in _COLUMNS]
    newest = keyset(select(*columns).where(*conditions), NEWEST_FIRST, continued=continued).lateral(
        "entry"
    )
    found = select(*newest.c).select_from(ranges.join(newest, true()))
    if in_period:
        # Only here: of a range with two ends that it does not know PostgreSQL expects next to
        # nothing, and takes any index for the best. What is older than the period ends the page.
        found = found.where(newest.c.occurred_at >= bindparam("occurred_from", type_=Instant))
    return found.order_by(newest.c.occurred_at.desc(), newest.c.id.desc()).limit(
        bindparam("page_limit", type_=Integer)
    )


PAGES: Final = {
    (of_types, in_period, continued): _page_of_person(
        of_types=of_types, in_period=in_period, continued=continued
    )
    for of_types in (False, True)
    for in_period in (False, True)
    for continued in (False, True)
}
"""The pages, by whether only some types or times are wanted, and whether others went before."""


@dataclass(frozen=True, slots=True)
class EntryFilter:
    """Which entries a client wants; None asks for nothing."""

    types: Sequence[str] | None = None
    occurred_from: datetime | None = None
    occurred_until: datetime | None = None

    @property
    def in_period(self) -> bool:
        """Whether it asks for some time only."""
        return self.occurred_from is not None or self.occurred_until is not None

    def parameters(self) -> dict[str, Any]:
        """The parameters of a page."""
        named: dict[str, Any] = {}
        if self.types is not None:
            named["types"] = sorted(set(self.types))
        if self.in_period:
            named["occurred_from"] = self.occurred_from or _EVER
            named["occurred_until"] = self.occurred_until or _NEVER
        return named


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

    async def hand_on(self, orders: Sequence[tuple[UUID, UUID, UUID]]) -> None:
        """Let what tells of orders stand with whose they are: order, whose it was, whose it is."""
        if not orders:
            return
        named = {
            "order_id": [str(order_id) for order_id, _, _ in orders],
            "giver_id": [giver_id for _, giver_id, _ in orders],
            "receiver_id": [receiver_id for _, _, receiver_id in orders],
        }
        tenant = {"tenant": self._uow.tenant_id, "types": types_of_kind("order")}
        await self._uow.execute(HAND_ON, tenant | named)

    async def rewrite(self, entry: Entry) -> None:
        """Let an entry that is there tell of its thing as that is now, and of whose it is."""
        told = {"customer_id": entry.customer_id, "new_data": dict(entry.data)}
        await self._uow.execute(
            _REWRITE, {"tenant": self._uow.tenant_id, "entry_id": entry.id, **told}
        )

    async def list_of(
        self, customer_id: UUID, wanted: EntryFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of the entries of all records of a person, newest first; the next cursor."""
        statement = PAGES[wanted.types is not None, wanted.in_period, request.cursor is not None]
        named = {"tenant": self._uow.tenant_id, "customer_id": customer_id}
        rows = await self._uow.rows(
            statement, named | wanted.parameters() | keyset_values(NEWEST_FIRST, request)
        )
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def is_known(self, customer_id: UUID) -> bool:
        """Whether there is such a customer."""
        wanted = {"tenant": self._uow.tenant_id, "customer_id": customer_id}
        return bool(await self._uow.scalar(_IS_KNOWN, wanted))

    async def is_seen(self, customer_id: UUID, sight: Sight) -> bool:
        """Whether a customer is there for somebody who does not see all."""
        wanted = {"tenant": self._uow.tenant_id, "customer_id": customer_id, **sight.parameters()}
        return bool(await self._uow.scalar(_IS_SEEN[sight.of_teams], wanted))
