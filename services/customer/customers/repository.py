"""SQL of customers. Every statement is built once, when this is imported."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.errors import CustomerNotFound, IdentityTaken
from services.customer.customers.identities import Identity
from services.customer.customers.identity_match import KnownIdentity
from services.customer.customers.identity_repository import (
    NEW_IDENTITIES,
    holders_of,
    insert_identities,
    known_identity,
)
from services.customer.customers.models import customer, customer_tag
from services.customer.customers.record import COLUMNS, STORED, CustomerRecord
from services.customer.customers.sight import is_seen
from services.customer.fields.checking import refuse_missing
from services.customer.fields.keeping import FieldValues
from services.customer.fields.repository import Holder, required_keys
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import ADD_ENTRIES, NEW_ENTRIES
from shared.db.outbox import outbox_rows
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id
from shared.db.rows import RowsParameter, any_id
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

TENANT = bindparam("tenant", type_=Uuid)
CUSTOMER_COLUMNS = [customer.c[name] for name in COLUMNS]
_IDS = bindparam("ids", type_=ARRAY(Uuid))
STANDS_FOR_ITSELF = customer.c.merged_into.is_(None)

_customers = RowsParameter("customer", customer, STORED)
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
_tags = RowsParameter("tag", customer_tag, ("tag", "customer_id", "created_at"))


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be, with what they can be recognised by."""

    record: CustomerRecord
    identities: Sequence[Identity]


def _insert_tags() -> Any:
    return (
        insert(customer_tag)
        .from_select(["tenant_id", *_tags.columns], select(TENANT, *_tags.source.c))
        .on_conflict_do_nothing(index_elements=["tenant_id", "tag", "customer_id"])
        .returning(customer_tag.c.tag)
    )


def _insert_customers(*, with_holders: bool) -> Any:
    """One statement for everything a new customer consists of: one round trip, however many.

    It tells how many identities were kept (fewer than given: another customer has one), which of
    the shop's own fields must have values, and, if asked, who held any of the identities before.
    """
    new_customers = (
        insert(customer)
        .from_select(["tenant_id", *STORED], select(TENANT, *_customers.source.c))
        .returning(customer.c.id)
        .cte("new_customer")
    )
    new_identities = insert_identities().cte("new_identity")
    kept = select(func.count().label("kept")).select_from(new_identities).subquery("kept")
    told = select(kept.c.kept, required_keys(TENANT).label("required")).select_from(kept)
    if with_holders:
        holders = holders_of(NEW_IDENTITIES).subquery("holder")
        told = select(*told.selected_columns, *holders.c).select_from(
            kept.outerjoin(holders, true())
        )
    return told.add_cte(
        new_customers,
        _insert_tags().cte("new_tag"),
        ADD_ENTRIES.cte("new_entry"),
        outbox_rows("customer"),
    )


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
_ADD = {asked: _insert_customers(with_holders=asked) for asked in (True, False)}
_ADD_TAGS = _insert_tags()
_SAVE = _update_customers(_customers)
_SAVE_FIGURES = _update_customers(_figures)
_named = customer.alias("named")
_ROOT = func.coalesce(_named.c.merged_into, _named.c.id)
_NAMED = select(_ROOT).where(_named.c.tenant_id == TENANT)
_BY_ID = _where(
    customer.c.id == _NAMED.where(_named.c.id == bindparam("id", type_=Uuid)).scalar_subquery()
)
_BY_CODE = _where(
    customer.c.id == _NAMED.where(_named.c.code == bindparam("code", type_=Text)).scalar_subquery()
)
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
_LOCK = (
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


def _narrower(statement: Select[Any]) -> dict[bool, Select[Any]]:
    """The forms for callers who do not see everybody."""
    return {of_teams: statement.where(is_seen(of_teams=of_teams)) for of_teams in (False, True)}


_SEEN = {statement: _narrower(statement) for statement in (_BY_ID, _BY_CODE, _LOCK)}


class Aside:
    """A yes-or-no question that is asked while a customer is locked, to spare a round trip.

    It is answered as of the moment before anybody was waited for.
    """

    def __init__(self, question: ColumnElement[bool]) -> None:
        self.statement = _LOCK.add_columns(question.label("aside"))
        _SEEN[self.statement] = _narrower(self.statement)


_REMOVE_TAGS = delete(customer_tag).where(
    customer_tag.c.tenant_id == TENANT, customer_tag.c.customer_id == func.any(_IDS)
)


class CustomerRepository:
    """Customers, inside one unit of work.

    What a caller names (`get`, `get_by_code`, `lock`) is narrowed to their `sight`. A record that
    was merged leads to the one that stands for it.
    """

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def add(
        self,
        customers: Sequence[NewCustomer],
        entries: Sequence[Entry],
        *,
        require_fields: Literal[True] | None = None,
        tell_holders: bool = True,
    ) -> list[KnownIdentity]:
        """Keep new customers, their identities, the first entries of their timelines, and events.

        The events are those that were appended so far.

        Returns who else already has one of the identities, unless the caller knows. Raises
        IdentityTaken when a verified one belongs to somebody else, and with `require_fields`
        ValuesNotValid when a field that the shop requires has no value; nothing must be committed
        then.
        """
        given = [(new.record.id, identity) for new in customers for identity in new.identities]
        rows = await self._uow.rows_with_events(
            _ADD[tell_holders],
            {
                **self._tenant,
                "now": self._uow.clock.now(),
                **_customers.values(new.record.as_stored() for new in customers),
                **NEW_IDENTITIES.values(identity.as_row(owner) for owner, identity in given),
                **_tags.values(_tag_rows(new.record for new in customers)),
                **NEW_ENTRIES.values(entry.as_row() for entry in entries),
            },
        )
        holders = (
            [known_identity(row) for row in rows if row.customer_id is not None]
            if tell_holders
            else []
        )
        if rows[0].kept < len(given):
            raise IdentityTaken(_verified_holders(holders))
        records = [new.record for new in customers]
        if require_fields:
            refuse_missing(rows[0].required, (record.attributes for record in records))
        await FieldValues(self._uow).keep(
            [Holder(r.id, r.created_at, r.attributes, is_new=True) for r in records]
        )
        return holders

    async def get(self, customer_id: UUID) -> CustomerRecord:
        """Who stands for a record. Raises CustomerNotFound."""
        return await self._one(_BY_ID, id=customer_id)

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
        statement, seen = self._narrowed(_LOCK)
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
        statement, seen = self._narrowed(question.statement)
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
        statement, given = (_SAVE_FIGURES, _figures) if is_bought else (_SAVE, _customers)
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
        await self._uow.execute(_ADD_TAGS, {**self._tenant, **_tags.values(_tag_rows(customers))})

    async def _one(self, statement: Select[Any], **named: Any) -> CustomerRecord:
        statement, seen = self._narrowed(statement)
        row = await self._uow.one_or_none(statement, {**self._tenant, **seen, **named})
        if row is None:
            raise CustomerNotFound
        return CustomerRecord.of(row)

    def _narrowed(self, statement: Select[Any]) -> tuple[Select[Any], Mapping[str, Any]]:
        """The form of a statement for who looks, and what it names in addition."""
        if self._sight is None:
            return statement, {}
        return _SEEN[statement][self._sight.of_teams], self._sight.parameters()


def _tag_rows(customers: Iterable[CustomerRecord]) -> Iterator[dict[str, Any]]:
    for record in customers:
        for tag in record.tags:
            yield {"tag": tag, "customer_id": record.id, "created_at": record.created_at}


def _verified_holders(holders: Iterable[KnownIdentity]) -> list[UUID]:
    return sorted({held.customer_id for held in holders if held.identifier.trusted})
