"""SQL of customers. Every statement is built once, when this is imported."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.customers.errors import CustomerIsErased, CustomerNotFound
from services.customer.customers.models import customer, customer_tag
from services.customer.customers.record import COLUMNS, STORED, CustomerRecord
from services.customer.customers.sight import is_seen
from services.customer.customers.tags import NEW_TAGS, insert_tags, tag_rows
from shared.db.outbox import outbox_rows
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id
from shared.db.rows import NewRows, RowsParameter, any_id
from shared.db.sighted import Sighted
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

TENANT = bindparam("tenant", type_=Uuid)
CUSTOMER_COLUMNS = [customer.c[name] for name in COLUMNS]
_IDS = bindparam("ids", type_=ARRAY(Uuid))
STANDS_FOR_ITSELF = customer.c.merged_into.is_(None)

NEW_CUSTOMERS = NewRows("customer", customer, STORED)
_changed = RowsParameter("changed", customer, STORED)
_FIXED = {"id", "code", "created_at", "merged_into", "last_interaction_at"}
# What orders change of a customer, with every one of them.
_FIGURES = frozenset(
    {
        *("stage", "value_tier", "orders_count", "total_spent_minor", "currency"),
        *("first_order_at", "last_order_at"),
    }
)
_figures = RowsParameter("figures", customer, ("id", *sorted(_FIGURES), "updated_at", "version"))
_heard = RowsParameter("heard", customer, ("id", "provenance"))


def _update_customers(given: RowsParameter) -> Any:
    """Writes the columns given, and the events that were appended."""
    new = given.source
    return (
        update(customer)
        .values({name: new.c[name] for name in given.columns if name not in _FIXED})
        .where(
            customer.c.tenant_id == TENANT,
            customer.c.id == new.c.id,
            customer.c.version < new.c.version,
        )
        .add_cte(outbox_rows("customer"))
    )


def _where(*conditions: ColumnElement[bool]) -> Any:
    return select(*CUSTOMER_COLUMNS).where(customer.c.tenant_id == TENANT, *conditions)


_met = RowsParameter("met", customer, ("id", "last_interaction_at"))


def _keep_in_touch() -> Any:
    """A touch of any record counts for who stands for it; an older one counts for nothing."""
    named, given = customer.alias("named"), _met.source
    root_id = func.coalesce(named.c.merged_into, named.c.id)
    latest = (
        select(root_id.label("root_id"), func.max(given.c.last_interaction_at).label("at"))
        .join_from(given, named, (named.c.tenant_id == TENANT) & (named.c.id == given.c.id))
        .group_by(root_id)
        .subquery("latest")
    )
    known = customer.c.last_interaction_at
    return (
        update(customer)
        .values(last_interaction_at=latest.c.at)
        .where(
            customer.c.tenant_id == TENANT,
            customer.c.id == latest.c.root_id,
            known.is_(None) | (known < latest.c.at),
        )
    )


_KEEP_IN_TOUCH = _keep_in_touch()
_ADD_TAGS = insert_tags()
_SAVE = _update_customers(_changed)
_SAVE_FIGURES = _update_customers(_figures)
_named = customer.alias("named")
_ROOT = func.coalesce(_named.c.merged_into, _named.c.id)
_NAMED = select(_ROOT).where(_named.c.tenant_id == TENANT)
_of_id = _NAMED.where(_named.c.id == bindparam("id", type_=Uuid)).scalar_subquery()
_of_code = _NAMED.where(_named.c.code == bindparam("code", type_=Text)).scalar_subquery()
_BY_ID = Sighted(_where(customer.c.id == _of_id), is_seen)
_BY_CODE = Sighted(_where(customer.c.id == _of_code), is_seen)
_ROOTS = select(_named.c.id, _ROOT.label("root_id")).where(
    _named.c.tenant_id == TENANT, _named.c.id == func.any(_IDS)
)
_ANY_OF = _where(customer.c.id == func.any(_IDS))
_RECORDS = _ANY_OF.add_columns(customer.c.provenance).order_by(customer.c.id)
_BY_IDS = (SortKey(customer.c.id, "id", parse_id),)
_WALK = (
    _where(customer.c.id > bindparam("after_id", type_=Uuid))
    .order_by(customer.c.id)
    .limit(bindparam("at_most", type_=Integer))
)
# Whoever was merged while we waited for the row stands for nobody any more.
_locked = (
    select(*CUSTOMER_COLUMNS, customer.c.provenance)
    .where(
        customer.c.tenant_id == TENANT,
        customer.c.id
        == func.any(
            func.array(
                _NAMED.where(_named.c.id == any_id("ids")).scalar_subquery(), type_=ARRAY(Uuid)
            )
        ),
        STANDS_FOR_ITSELF,
    )
    .order_by(customer.c.id)
    .with_for_update(of=customer)
)
_LOCK = Sighted(_locked, is_seen)
_LINKS = RowsParameter(
    "link", customer, ("id", "parent_id", "merged_into", "updated_at", "version")
)
_RELINK = (
    update(customer)
    .values({name: _LINKS.source.c[name] for name in _LINKS.columns if name != "id"})
    .where(customer.c.tenant_id == TENANT, customer.c.id == _LINKS.source.c.id)
)
_REMEMBER = (
    update(customer)
    .values(provenance=_heard.source.c.provenance)
    .where(customer.c.tenant_id == TENANT, customer.c.id == _heard.source.c.id)
)


class Aside:
    """A yes-or-no question that is asked while a customer is locked, to spare a round trip.

    It is answered as of the moment before anybody was waited for.
    """

    def __init__(self, question: ColumnElement[bool]) -> None:
        self.statement = Sighted(_locked.add_columns(question.label("aside")), is_seen)


_REMOVE_TAGS = delete(customer_tag).where(
    customer_tag.c.tenant_id == TENANT, customer_tag.c.customer_id == func.any(_IDS)
)


def unerased(record: CustomerRecord) -> CustomerRecord:
    """The same, of somebody who was not erased. Raises CustomerIsErased."""
    if record.erased_at is not None:
        raise CustomerIsErased
    return record


class CustomerRepository:
    """Customers, inside one unit of work.

    What a caller names (`get`, `get_by_code`, `lock`) is narrowed to their `sight`. A record that
    was merged leads to the one that stands for it.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def get(self, customer_id: UUID) -> CustomerRecord:
        """Who stands for a record. Raises CustomerNotFound."""
        return await self._one(_BY_ID, id=customer_id)

    async def get_unerased(self, customer_id: UUID) -> CustomerRecord:
        """Who stands for a record, and is somebody still: of nobody is there anything to say.

        Raises CustomerNotFound, CustomerIsErased.
        """
        return unerased(await self.get(customer_id))

    async def get_by_code(self, code: str) -> CustomerRecord:
        """Who stands for the record with a code. Raises CustomerNotFound."""
        return await self._one(_BY_CODE, code=code)

    async def records(self, customer_ids: Collection[UUID]) -> list[CustomerRecord]:
        """These very records, whoever stands for them, in the order of their ids."""
        rows = await self._uow.rows(_RECORDS, {**self._tenant, "ids": list(customer_ids)})
        return [CustomerRecord.of_stored(row) for row in rows]

    async def page_of(
        self, customer_ids: Collection[UUID], request: PageRequest
    ) -> tuple[list[CustomerRecord], str | None]:
        """A page of these very records in the order of their ids, and the next cursor."""
        wanted = {**self._tenant, "ids": list(customer_ids)}
        rows = await self._uow.rows(page(_ANY_OF, _BY_IDS, request), wanted)
        kept, cursor = next_cursor(rows, _BY_IDS, request.limit)
        return [CustomerRecord.of(row) for row in kept], cursor

    async def walk(self, after_id: UUID, at_most: int) -> list[CustomerRecord]:
        """The records whose ids follow `after_id`, in the order of their ids."""
        parameters = {**self._tenant, "after_id": after_id, "at_most": at_most}
        return [CustomerRecord.of(row) for row in await self._uow.rows(_WALK, parameters)]

    async def lock(self, customer_ids: Collection[UUID]) -> dict[UUID, CustomerRecord]:
        """Who stands for each of these ids, nobody else changing or merging them until the commit.

        Ids that nobody has are left out.
        """
        statement, seen = _LOCK.seen_by(self._sight)
        held: dict[UUID, CustomerRecord] = {}
        roots: dict[UUID, UUID] = {}
        waiting, before = set(customer_ids), dict[UUID, UUID]()
        while waiting:
            asked = {**self._tenant, "ids": sorted(waiting)}
            held |= {
                row.id: CustomerRecord.of_stored(row)
                for row in await self._uow.rows(statement, {**asked, **seen})
            }
            roots |= {customer_id: customer_id for customer_id in waiting & held.keys()}
            merged = sorted(waiting - held.keys())
            if not merged:
                break
            found = await self._uow.rows(_ROOTS, {**self._tenant, "ids": merged})
            roots |= {row.id: row.root_id for row in found}
            left = {row.id: row.root_id for row in found if row.root_id not in held}
            if left == before:
                break  # They are not seen; the others were merged or parted while we waited.
            waiting, before = set(left), left
        return {asked_id: held[root] for asked_id, root in roots.items() if root in held}

    async def lock_and_ask(
        self, customer_id: UUID, question: Aside, asked: Mapping[str, Any]
    ) -> tuple[dict[UUID, CustomerRecord], bool | None]:
        """`lock` one customer, and the answer to a question; None when it was not asked."""
        statement, seen = question.statement.seen_by(self._sight)
        parameters = {**self._tenant, "ids": [customer_id], **asked, **seen}
        row = await self._uow.one_or_none(statement, parameters)
        if row is None or row.id != customer_id:
            return await self.lock([customer_id]), None
        return {customer_id: CustomerRecord.of_stored(row)}, row.aside

    async def save(
        self, customers: Sequence[CustomerRecord], *, differing: Collection[str] = STORED
    ) -> None:
        """Write changed customers whose version has grown; tags are kept by `replace_tags`.

        `differing` are the columns in which they differ from what is stored. The events that were
        appended so far go with them, to spare a round trip.
        """
        is_bought = _FIGURES.issuperset(differing)
        statement, given = (_SAVE_FIGURES, _figures) if is_bought else (_SAVE, _changed)
        rows = [record.as_stored() for record in customers]
        parameters = {**self._tenant, **given.values(rows)}
        await self._uow.execute_with_events(statement, parameters)

    async def relink(self, records: Sequence[CustomerRecord], parents: Mapping[UUID, UUID]) -> None:
        """Write who stands for locked records, and into whom each was merged, if into anybody."""
        rows = [{**record.as_row(), "parent_id": parents.get(record.id)} for record in records]
        if rows:
            await self._uow.execute(_RELINK, {**self._tenant, **_LINKS.values(rows)})

    async def remember(self, customers: Sequence[CustomerRecord]) -> None:
        """Write who said what of customers of whom nothing else has changed."""
        rows = [{"id": record.id, "provenance": record.provenance} for record in customers]
        await self._uow.execute(_REMEMBER, {**self._tenant, **_heard.values(rows)})

    async def keep_in_touch(self, last: Mapping[UUID, datetime]) -> None:
        """Know when people were last in touch, by any of their records. Tells nobody of it."""
        rows = [{"id": each, "last_interaction_at": last[each]} for each in sorted(last)]
        await self._uow.execute(_KEEP_IN_TOUCH, {**self._tenant, **_met.values(rows)})

    async def replace_tags(self, customers: Sequence[CustomerRecord]) -> None:
        """Make the tags that lists are filtered by those of the records."""
        ids = [record.id for record in customers]
        await self._uow.execute(_REMOVE_TAGS, {**self._tenant, "ids": ids})
        await self._uow.execute(_ADD_TAGS, {**self._tenant, **NEW_TAGS.values(tag_rows(customers))})

    async def _one(self, sighted: Sighted, **named: Any) -> CustomerRecord:
        statement, seen = sighted.seen_by(self._sight)
        row = await self._uow.one_or_none(statement, {**self._tenant, **seen, **named})
        if row is None:
            raise CustomerNotFound
        return CustomerRecord.of(row)
