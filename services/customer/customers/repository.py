"""SQL of customers and their identities. Every statement is built once, when this is imported."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    ColumnElement,
    Integer,
    Row,
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
from services.customer.customers.identities import IDENTITY_COLUMNS, Identity
from services.customer.customers.identity_match import MAX_CANDIDATES, Identifier, KnownIdentity
from services.customer.customers.models import customer, customer_identity, customer_tag
from services.customer.customers.record import COLUMNS, CustomerRecord
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import ADD_ENTRIES, NEW_ENTRIES
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

TENANT = bindparam("tenant", type_=Uuid)
CUSTOMER_COLUMNS = [customer.c[name] for name in COLUMNS]
_NOW = bindparam("now", type_=Instant)
_IDS = bindparam("ids", type_=ARRAY(Uuid))

_customers = RowsParameter("customer", customer, COLUMNS)
_identities = RowsParameter("identity", customer_identity, IDENTITY_COLUMNS)
_wanted = RowsParameter("wanted", customer_identity, ("kind", "scope", "value"))
_told = RowsParameter("told", customer_identity, ("scope", "value", "told_at"))
_tags = RowsParameter("tag", customer_tag, ("tag", "customer_id", "created_at"))


@dataclass(frozen=True, slots=True)
class NewCustomer:
    """A customer to be, with what they can be recognised by."""

    record: CustomerRecord
    identities: Sequence[Identity]


def _holders_of(wanted: RowsParameter) -> Any:
    """Who has one of the wanted identities; of each, verified holders first, and not too many."""
    asked = wanted.source
    held = (
        select(
            customer_identity.c.customer_id,
            customer_identity.c.kind,
            customer_identity.c.scope,
            customer_identity.c.value,
            customer_identity.c.standing,
        )
        .where(
            customer_identity.c.tenant_id == TENANT,
            customer_identity.c.kind == asked.c.kind,
            customer_identity.c.scope == asked.c.scope,
            customer_identity.c.value == asked.c.value,
        )
        .order_by(customer_identity.c.standing.desc())
        .limit(MAX_CANDIDATES + 1)
        .lateral("held")
    )
    return select(*held.c).select_from(asked).join(held, true())


def _insert_identities() -> Any:
    columns = ["tenant_id", *IDENTITY_COLUMNS, "created_at"]
    return (
        insert(customer_identity)
        .from_select(columns, select(TENANT, *_identities.source.c, _NOW))
        .on_conflict_do_nothing()
        .returning(customer_identity.c.id)
    )


def _insert_tags() -> Any:
    return (
        insert(customer_tag)
        .from_select(["tenant_id", *_tags.columns], select(TENANT, *_tags.source.c))
        .on_conflict_do_nothing(index_elements=["tenant_id", "tag", "customer_id"])
        .returning(customer_tag.c.tag)
    )


def _insert_customers() -> Any:
    """One statement for everything a new customer consists of: one round trip, however many.

    It tells how many identities were kept (fewer than given: another customer has one) and who
    held any of them before.
    """
    new_customers = (
        insert(customer)
        .from_select(["tenant_id", *COLUMNS], select(TENANT, *_customers.source.c))
        .returning(customer.c.id)
        .cte("new_customer")
    )
    new_identities = _insert_identities().cte("new_identity")
    kept = select(func.count().label("kept")).select_from(new_identities).subquery("kept")
    holders = _holders_of(_identities).subquery("holder")
    return (
        select(kept.c.kept, *holders.c)
        .select_from(kept.outerjoin(holders, true()))
        .add_cte(new_customers, _insert_tags().cte("new_tag"), ADD_ENTRIES.cte("new_entry"))
    )


def _update_customers() -> Any:
    fixed = {"id", "code", "created_at"}
    new = _customers.source
    return (
        update(customer)
        .values({name: new.c[name] for name in COLUMNS if name not in fixed})
        .where(
            customer.c.tenant_id == TENANT,
            customer.c.id == new.c.id,
            customer.c.version < new.c.version,
        )
    )


def _where(*conditions: ColumnElement[bool]) -> Any:
    return select(*CUSTOMER_COLUMNS).where(customer.c.tenant_id == TENANT, *conditions)


_ADD = _insert_customers()
_ADD_IDENTITIES = _insert_identities()
_ADD_TAGS = _insert_tags()
_SAVE = _update_customers()
_HOLDERS = _holders_of(_wanted)
_BY_ID = _where(customer.c.id == bindparam("id", type_=Uuid))
_BY_CODE = _where(customer.c.code == bindparam("code", type_=Text))
_WALK = (
    _where(customer.c.id > bindparam("after_id", type_=Uuid))
    .order_by(customer.c.id)
    .limit(bindparam("at_most", type_=Integer))
)
_LOCK = _where(customer.c.id == func.any(_IDS)).order_by(customer.c.id).with_for_update(of=customer)
_OWN_IDENTITIES = (
    select(customer_identity)
    .where(
        customer_identity.c.tenant_id == TENANT,
        customer_identity.c.customer_id == func.any(_IDS),
    )
    .order_by(customer_identity.c.created_at, customer_identity.c.id)
)
_REMOVE_CLAIMED = delete(customer_identity).where(
    customer_identity.c.tenant_id == TENANT,
    customer_identity.c.customer_id == bindparam("customer_id", type_=Uuid),
    customer_identity.c.kind == bindparam("kind", type_=Text),
    customer_identity.c.value == bindparam("value", type_=Text),
    customer_identity.c.standing == "claimed",
)
_MARK_TOLD = (
    update(customer_identity)
    .values(told_at=_told.source.c.told_at)
    .where(
        customer_identity.c.tenant_id == TENANT,
        customer_identity.c.kind == "platform_id",
        customer_identity.c.scope == _told.source.c.scope,
        customer_identity.c.value == _told.source.c.value,
    )
)
_REMOVE_TAGS = delete(customer_tag).where(
    customer_tag.c.tenant_id == TENANT, customer_tag.c.customer_id == func.any(_IDS)
)


class CustomerRepository:
    """Customers, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(
        self, customers: Sequence[NewCustomer], entries: Sequence[Entry]
    ) -> list[KnownIdentity]:
        """Keep new customers with their identities and the first entries of their timelines.

        Returns who else already has one of the identities. Raises IdentityTaken when a verified
        one belongs to somebody else; nothing must be committed then.
        """
        given = [(new.record.id, identity) for new in customers for identity in new.identities]
        rows = await self._uow.rows(
            _ADD,
            {
                **self._tenant,
                "now": self._uow.clock.now(),
                **_customers.values(new.record.as_row() for new in customers),
                **_identities.values(identity.as_row(owner) for owner, identity in given),
                **_tags.values(_tag_rows(new.record for new in customers)),
                **NEW_ENTRIES.values(entry.as_row() for entry in entries),
            },
        )
        holders = [_known(row) for row in rows if row.customer_id is not None]
        if rows[0].kept < len(given):
            raise IdentityTaken(_verified_holders(holders))
        return holders

    async def get(self, customer_id: UUID) -> CustomerRecord:
        """Raises CustomerNotFound."""
        row = await self._uow.one_or_none(_BY_ID, {**self._tenant, "id": customer_id})
        if row is None:
            raise CustomerNotFound
        return CustomerRecord.of(row)

    async def get_by_code(self, code: str) -> CustomerRecord:
        """Raises CustomerNotFound."""
        row = await self._uow.one_or_none(_BY_CODE, {**self._tenant, "code": code})
        if row is None:
            raise CustomerNotFound
        return CustomerRecord.of(row)

    async def walk(self, after_id: UUID, at_most: int) -> list[CustomerRecord]:
        """The customers whose ids follow `after_id`, in the order of their ids."""
        parameters = {**self._tenant, "after_id": after_id, "at_most": at_most}
        return [CustomerRecord.of(row) for row in await self._uow.rows(_WALK, parameters)]

    async def lock(self, customer_ids: Collection[UUID]) -> dict[UUID, CustomerRecord]:
        """The customers among these ids, nobody else changing them until the commit."""
        rows = await self._uow.rows(_LOCK, {**self._tenant, "ids": list(customer_ids)})
        return {row.id: CustomerRecord.of(row) for row in rows}

    async def save(self, customers: Sequence[CustomerRecord]) -> None:
        """Write changed customers whose version has grown; tags are kept by `replace_tags`."""
        rows = [record.as_row() for record in customers]
        await self._uow.execute(_SAVE, {**self._tenant, **_customers.values(rows)})

    async def replace_tags(self, customers: Sequence[CustomerRecord]) -> None:
        """Make the tags that lists are filtered by those of the records."""
        ids = [record.id for record in customers]
        await self._uow.execute(_REMOVE_TAGS, {**self._tenant, "ids": ids})
        await self._uow.execute(_ADD_TAGS, {**self._tenant, **_tags.values(_tag_rows(customers))})

    async def holders(self, identities: Iterable[Identity]) -> list[KnownIdentity]:
        """Who has any of these identities."""
        wanted = [{"kind": i.kind, "scope": i.scope, "value": i.value} for i in identities]
        if not wanted:
            return []
        rows = await self._uow.rows(_HOLDERS, {**self._tenant, **_wanted.values(wanted)})
        return [_known(row) for row in rows]

    async def identities_of(
        self, customer_ids: Collection[UUID]
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """All identities of these customers, oldest first."""
        return await self._uow.rows(_OWN_IDENTITIES, {**self._tenant, "ids": list(customer_ids)})

    async def give_identities(
        self, given: Iterable[tuple[UUID, Identity]]
    ) -> list[tuple[UUID, Identity]]:
        """Give customers the identities that they lack, and trust those now verified.

        Returns what was given. Raises IdentityTaken when a verified one belongs to somebody else.
        """
        wanted = {(owner, *identity.key): identity for owner, identity in given}
        rows = await self.identities_of({owner for owner, *_ in wanted})
        own = {(r.customer_id, r.kind, r.scope, r.value): r.standing for r in rows}
        lacking = [
            (key[0], identity)
            for key, identity in wanted.items()
            if key not in own or (identity.verified and own[key] == "claimed")
        ]
        for owner, identity in lacking:
            if (owner, *identity.key) in own:
                await self.remove_claimed(owner, kind=identity.kind, value=identity.value)
        if lacking:
            await self._add_identities(lacking)
        return lacking

    async def mark_told(self, told: Mapping[tuple[str, str], datetime]) -> None:
        """Remember until when platforms have told of people, by scope and platform id."""
        rows = [
            {"scope": scope, "value": value, "told_at": at} for (scope, value), at in told.items()
        ]
        if rows:
            await self._uow.execute(_MARK_TOLD, {**self._tenant, **_told.values(rows)})

    async def _add_identities(self, given: Sequence[tuple[UUID, Identity]]) -> None:
        parameters = _identities.values(identity.as_row(owner) for owner, identity in given)
        kept = await self._uow.rows(
            _ADD_IDENTITIES, {**self._tenant, "now": self._uow.clock.now(), **parameters}
        )
        if len(kept) < len(given):
            raise IdentityTaken

    async def remove_claimed(self, customer_id: UUID, *, kind: str, value: str) -> None:
        """Forget what a customer only claimed; a verified identity stays."""
        await self._uow.execute(
            _REMOVE_CLAIMED,
            {**self._tenant, "customer_id": customer_id, "kind": kind, "value": value},
        )


def _known(row: Row[*tuple[Any, ...]]) -> KnownIdentity:
    verified = row.standing == "verified"
    return KnownIdentity(row.customer_id, Identifier(row.kind, row.value, row.scope, verified))


def _tag_rows(customers: Iterable[CustomerRecord]) -> Iterator[dict[str, Any]]:
    for record in customers:
        for tag in record.tags:
            yield {"tag": tag, "customer_id": record.id, "created_at": record.created_at}


def _verified_holders(holders: Iterable[KnownIdentity]) -> list[UUID]:
    return sorted({held.customer_id for held in holders if held.identifier.trusted})
