"""Erasing what one platform told, when the platform has it so; what others told stays.

Somebody of whom nobody else has told anything is erased altogether. Of anybody else the platform's
part is taken back: its ids, what it said of each field, its addresses, and of its orders what is of
the person. A field that others told of too is then what they say.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import Integer, Row, Table, Text, Uuid, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.addresses.models import customer_address, removed_address
from services.customer.customers.identities import platform_scope
from services.customer.customers.identity_repository import CONTACTS
from services.customer.customers.models import customer_identity
from services.customer.customers.record import CustomerRecord
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.rewriting import rewrite, rewritten
from services.customer.customers.says import all_says, sources_of, take_back_all
from services.customer.duplicates.weighing import Weighing
from services.customer.erased.identities import ErasedIdentities, IdentityDigests
from services.customer.families.family import Families
from services.customer.merges.forgetting import SourceTakenBack
from services.customer.merges.repository import MergeRepository
from services.customer.orders.models import (
    customer_order,
    order_fulfillment,
    order_payment,
    order_refund,
    order_return,
)
from services.customer.privacy.erasing import Erasing
from services.customer.privacy.people import PeopleRepository
from services.customer.privacy.repository import PrivacyRepository
from services.customer.tenants.priorities import PriorityRepository
from shared.audit.trail import AuditEntry
from shared.contracts.privacy import CustomerSourceForgotten
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.person import KnownPerson, PlatformObject
from shared.privacy.registry import Personal, declared
from shared.security.keys import SecretBox

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_CONNECTION: Final = bindparam("connection", type_=Uuid)
_SCOPE: Final = bindparam("scope", type_=Text)
_PARTS: Final[tuple[Table, ...]] = (
    order_payment,
    order_refund,
    order_return,
    order_fulfillment,
)
_ORDERS: Final = select(
    customer_order.c.id, customer_order.c.external_id, customer_order.c.connection_id
).where(customer_order.c.tenant_id == _TENANT, customer_order.c.customer_id == func.any(_IDS))
_FORGET_IDENTITIES: Final = delete(customer_identity).where(
    customer_identity.c.tenant_id == _TENANT,
    customer_identity.c.customer_id == func.any(bindparam("members", type_=ARRAY(Uuid))),
    customer_identity.c.id == func.any(_IDS),
)
_OURS: Final = (
    customer_address.c.tenant_id == _TENANT,
    customer_address.c.customer_id == func.any(_IDS),
    customer_address.c.source == _SCOPE,
)
_FORGET_ADDRESSES: Final = delete(customer_address).where(
    *_OURS, customer_address.c.corrected_by.is_(None)
)
_KEEP_CORRECTED: Final = (
    update(customer_address)
    .where(*_OURS)
    .values(source=None, external_id=None, told=None, told_at=None)
)
_FORGET_REMOVED: Final = delete(removed_address).where(
    removed_address.c.tenant_id == _TENANT,
    removed_address.c.customer_id == func.any(_IDS),
    removed_address.c.source == _SCOPE,
)
_ACCOUNTS: Final = (
    select(customer_identity.c.value, customer_identity.c.customer_id)
    .where(
        customer_identity.c.tenant_id == _TENANT,
        customer_identity.c.kind == "platform_id",
        customer_identity.c.scope == _SCOPE,
        customer_identity.c.standing == "verified",
        customer_identity.c.value > bindparam("after", type_=Text),
    )
    .order_by(customer_identity.c.value)
    .limit(bindparam("at_most", type_=Integer))
)

Result = Literal["erased", "taken_back", "held"]
_Identity = Row[*tuple[Any, ...]]


def _erasure_of(table: Table) -> Mapping[str, Any]:
    """What the registry says that is erased of a row."""
    said = declared(table)
    assert isinstance(said, Personal)  # noqa: S101  (beside the table it says so)
    assert isinstance(said.erase, Mapping)  # noqa: S101
    return said.erase


_EMPTY_ORDERS: Final = (
    update(customer_order)
    .where(customer_order.c.tenant_id == _TENANT, customer_order.c.id == func.any(_IDS))
    .values(**_erasure_of(customer_order))
)
_EMPTY_PARTS: Final = tuple(
    update(table)
    .where(table.c.tenant_id == _TENANT, table.c.order_id == func.any(_IDS))
    .values(**_erasure_of(table))
    for table in _PARTS
)


@dataclass(frozen=True, slots=True)
class PlatformSource:
    """One connected shop of a platform."""

    source: str
    connection_id: UUID

    @property
    def scope(self) -> str:
        """What its ids are unique within, and what it is remembered by."""
        return platform_scope(self.source, self.connection_id)


class SourceForgetting:
    """Erases what one source told of people, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        erasing: Erasing,
        secrets: SecretBox,
        digests: IdentityDigests,
        weighing: Weighing,
    ) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}
        self._erasing = erasing
        self._weighing = weighing
        self._secrets = secrets
        self._gone = ErasedIdentities(uow, digests=digests)
        self._people = PeopleRepository(uow)

    async def accounts(
        self, source: PlatformSource, *, after: str, at_most: int
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """A page of the people whom a source knows, by what it calls them."""
        asked = {"scope": source.scope, "after": after, "at_most": at_most}
        return await self._uow.rows(_ACCOUNTS, {**self._tenant, **asked})

    async def forget(
        self, customer_id: UUID, source: PlatformSource, *, request_id: UUID
    ) -> tuple[Result, UUID | None]:
        """Erase what a source told of a person; what became of it, and the erasure if it is one.

        Raises CustomerNotFound. Somebody under a legal hold stays as they are.
        """
        family = await Families(self._uow).lock(customer_id)
        if await PrivacyRepository(self._uow).hold(family.member_ids) is not None:
            return "held", None
        identities = await self._people.identities(family.member_ids)
        asked = {**self._tenant, "ids": list(family.member_ids)}
        orders = await self._uow.rows(_ORDERS, asked)
        customers = CustomerRepository(self._uow)
        records = {each.id: each for each in await customers.records(family.member_ids)}
        belongings = {row.connection_id for row in (*identities, *orders)}
        sources = {each for record in records.values() for each in sources_of(record)}
        if belongings <= {source.connection_id} and sources <= {source.scope}:
            return "erased", await self._erasing.order(request_id, family.root_id)
        own = [row for row in orders if row.connection_id == source.connection_id]
        left = await self._take_words_back(records, source)
        gone = _no_longer_said(identities, left, source)
        await self._forget_rows(family.member_ids, gone, [row.id for row in own], source)
        await self._weighing.weigh_again([family.root_id])
        self._tell(family.root_id, source, gone, [row.external_id for row in own])
        return "taken_back", None

    async def _take_words_back(
        self, before: Mapping[UUID, CustomerRecord], source: PlatformSource
    ) -> Collection[CustomerRecord]:
        """Have the source have told nothing: in no record, nor in what merges would give back."""
        priority = await PriorityRepository(self._uow).current()
        now = self._uow.clock.now()
        after = {}
        for record_id, record in before.items():
            heard = take_back_all(record, source.scope, priority)
            after[record_id] = rewritten(record, heard.changes, heard.provenance, at=now)
        for record in await rewrite(self._uow, before, after.values()):
            # That something has changed, and not what there was before.
            self._uow.record(AuditEntry.of("customer", record.id))
        merges = MergeRepository(self._uow)
        taken_back = SourceTakenBack(source.scope, priority, before, after)
        ledger = [taken_back.left_of(row) for row in await merges.involving(before)]
        await merges.forget([left for left in ledger if left is not None])
        return after.values()

    async def _forget_rows(
        self,
        member_ids: Sequence[UUID],
        gone: Sequence[_Identity],
        order_ids: Sequence[UUID],
        source: PlatformSource,
    ) -> None:
        accounts = [row for row in gone if row.kind == "platform_id"]
        await self._gone.remember(accounts, at=self._uow.clock.now())
        named = {**self._tenant, "members": list(member_ids), "ids": [row.id for row in gone]}
        await self._uow.execute(_FORGET_IDENTITIES, named)
        of_members = {**self._tenant, "ids": list(member_ids), "scope": source.scope}
        for statement in (_FORGET_ADDRESSES, _KEEP_CORRECTED, _FORGET_REMOVED):
            await self._uow.execute(statement, of_members)
        for emptied in (_EMPTY_ORDERS, *_EMPTY_PARTS) if order_ids else ():
            await self._uow.execute(emptied, {**self._tenant, "ids": list(order_ids)})

    def _tell(
        self,
        root_id: UUID,
        source: PlatformSource,
        gone: Sequence[_Identity],
        orders: Sequence[str],
    ) -> None:
        person = KnownPerson(
            customer_ids=(),
            accounts=_objects(source, [r.value for r in gone if r.kind == "platform_id"]),
            orders=_objects(source, orders),
        )
        event = CustomerSourceForgotten(
            customer_id=root_id,
            source=source.scope,
            forgotten_at=self._uow.clock.now(),
            sealed=person.sealed(self._secrets),
        )
        self._uow.append(event, key=root_id)


def _no_longer_said(
    identities: Sequence[_Identity], records: Iterable[CustomerRecord], source: PlatformSource
) -> list[_Identity]:
    """The source's identities, but for addresses and numbers that somebody else told, too."""
    said: Collection[Any] = {
        say.value
        for record in records
        for name, says in all_says(record)
        if name in CONTACTS
        for say in says
    }
    return [
        row
        for row in identities
        if row.connection_id == source.connection_id
        and (row.kind == "platform_id" or row.value not in said)
    ]


def _objects(source: PlatformSource, ids: Sequence[str]) -> tuple[PlatformObject, ...]:
    return tuple(
        PlatformObject(connection_id=source.connection_id, external_id=each) for each in ids
    )
