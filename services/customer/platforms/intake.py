"""Taking in what platforms deliver: many customers and orders, a handful of statements."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.customer.addresses.placing import address_reader
from services.customer.addresses.telling import AddressesTold, AddressTelling
from services.customer.addresses.told import ToldAddress
from services.customer.assignment.assigning import Assigner
from services.customer.assignment.choosing import Choice
from services.customer.consents.recording import Answer, ConsentRecorder
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.hearing import Hearing
from services.customer.customers.identities import Identity
from services.customer.customers.identity_repository import (
    CONTACTS,
    IdentityRepository,
    ended_contacts,
)
from services.customer.customers.new_customers import NewCustomer, NewCustomers
from services.customer.customers.recognition import Recognised, Recognition
from services.customer.customers.record import created_entry, new_record
from services.customer.customers.says import first_said
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.weighing import Weighing
from services.customer.orders.keeping import OrderKeeper
from services.customer.orders.news import IncomingOrder, OrderFollower, OrderNews, OrderRemoval
from services.customer.orders.parts import OrderPart
from services.customer.orders.record import OrderContent, OrderLine
from services.customer.orders.repository import OrderRepository
from services.customer.platforms.people import Person
from services.customer.tenants.shops import Shop
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.contracts.customer import CustomerCreated
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class CustomerTold:
    """A platform told of a customer."""

    person: Person
    addresses: tuple[ToldAddress, ...] = ()


@dataclass(frozen=True, slots=True)
class CustomerGone:
    """A platform has deleted a customer of its own; the shop's customer stays."""

    person: Person


@dataclass(frozen=True, slots=True)
class OrderTold:
    """A platform told of an order and its buyer."""

    person: Person
    content: OrderContent
    lines: tuple[OrderLine, ...]
    parts: tuple[OrderPart, ...] = ()
    addresses: tuple[ToldAddress, ...] = ()


Delivery = CustomerTold | CustomerGone | OrderTold | OrderRemoval


class PlatformIntake:
    """Applies deliveries, in their order, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        codes: CodeAllocator,
        shop: Shop,
        weighing: Weighing,
        followers: Sequence[OrderFollower] = (),
        erased: Mapping[int, UUID] | None = None,
    ) -> None:
        self._uow = uow
        self._followers = followers
        # Orders, by `id` of their delivery, of people who were erased.
        self._erased = erased or {}
        self._weighing = weighing
        self._codes = codes
        self._shop = shop
        self._identities = IdentityRepository(uow)
        self._duplicates = DuplicateRepository(uow)
        self._timeline = TimelineRepository(uow)
        self._changes = CustomerChanges(uow)
        self._hearing = Hearing(uow, self._changes)
        self._recognised_anew: set[UUID] = set()

    async def take_in(self, deliveries: Sequence[Delivery]) -> None:
        """Know the customers and keep the orders that were delivered.

        Raises IdentityTaken or OrderJustArrived when another transaction has brought the same
        person or order meanwhile; tried again, they are recognised.
        """
        told = [
            delivery
            for delivery in deliveries
            if isinstance(delivery, CustomerTold | OrderTold) and id(delivery) not in self._erased
        ]
        people = [
            delivery.person
            for delivery in deliveries
            if not isinstance(delivery, OrderRemoval) and id(delivery) not in self._erased
        ]
        recognition = await Recognition.of(
            self._identities,
            self._duplicates,
            (i for person in people for i in person.identities),
        )
        found = [recognition.recognise(delivery.person.identities) for delivery in told]
        met = await self._still_there(
            [(delivery.person, who) for delivery, who in zip(told, found, strict=True)]
        )
        await self._meet(met)
        there = {who.customer_id for _, who in met}
        await self._keep_addresses(
            [
                (delivery, who.customer_id)
                for delivery, who in zip(told, found, strict=True)
                if who.customer_id in there
            ]
        )
        await self._record_consents(met)
        await self._tell_of_gone(deliveries, recognition)
        owners = {id(delivery): who.customer_id for delivery, who in zip(told, found, strict=True)}
        owners |= self._erased
        await self._changes.lock(set(self._erased.values()))
        await self._keep_orders(deliveries, owners)
        await self._changes.save()
        await self._weigh_again(met)
        await self._weighing.propose(p for _, who in met for p in who.proposals)

    async def _still_there(
        self, met: Sequence[tuple[Person, Recognised]]
    ) -> Sequence[tuple[Person, Recognised]]:
        """Those who are new, and those who were not erased while we waited for their rows."""
        new_ids = {who.customer_id for _, who in met if who.is_new}
        known_ids = {who.customer_id for _, who in met} - new_ids
        await self._changes.lock(known_ids)
        gone = {known for known in known_ids if self._changes[known].erased_at is not None}
        return [(person, who) for person, who in met if who.customer_id not in gone]

    async def _meet(self, met: Sequence[tuple[Person, Recognised]]) -> None:
        new = [(person, who) for person, who in met if who.is_new]
        await self._add(new)
        known = [(person, who) for person, who in met if not who.is_new]
        given = await self._identities.give(
            (who.customer_id, identity) for _, who in known for identity in who.identities
        )
        await self._timeline.add(_recognised_entries(given, self._uow.clock.now()))
        self._recognised_anew = {owner for owner, identity in given if identity.kind in CONTACTS}
        await self._merge(met)

    async def _add(self, new: Sequence[tuple[Person, Recognised]]) -> None:
        if not new:
            return
        numbers = await self._codes.take(self._uow.tenant_id, "customer", len(new))
        customers = [
            NewCustomer(
                first_said(
                    new_record(
                        person.columns(),
                        customer_id=who.customer_id,
                        number=number,
                        currency=self._shop.currency,
                        at=self._uow.clock.now(),
                    ),
                    person.speaker,
                ),
                who.identities,
            )
            for number, (person, who) in zip(numbers, new, strict=True)
        ]
        assigner = Assigner(self._uow)
        choices = await assigner.assign(
            {new.record.id: new.record for new in customers},
            timezone=self._shop.timezone,
        )
        customers = [_given(new, choices.get(new.record.id)) for new in customers]
        records = [customer.record for customer in customers]
        await NewCustomers(self._uow).add(customers, [created_entry(record) for record in records])
        await assigner.keep(choices)
        for record in records:
            self._changes.take(record)
            self._uow.append(CustomerCreated(customer=record.state()), key=record.id)

    async def _merge(self, met: Sequence[tuple[Person, Recognised]]) -> None:
        """Change customers by what was told last, even if it was delivered first."""
        own = await self._identities.list_of({who.customer_id for _, who in met})
        told_until = {(i.scope, i.value): i.told_at for i in own if i.told_at is not None}
        ended = ended_contacts(own)
        news: dict[tuple[str, str], datetime] = {}
        for person, who in met:
            key = _platform_key(person)
            before = told_until.get(key) if key else None
            if before is not None and person.at < before and not person.in_passing:
                continue
            record = self._changes[who.customer_id]
            self._changes.apply(who.customer_id, {"tags": person.tags(record)})
            said = {
                name: value
                for name, value in person.said_of(record).items()
                if name not in CONTACTS or (who.customer_id, name, value) not in ended
            }
            await self._hearing.hear(who.customer_id, said, person.speaker)
            if key and not person.in_passing:
                told_until[key] = news[key] = person.at
        await self._identities.mark_told(news)

    async def _weigh_again(self, met: Iterable[tuple[Person, Recognised]]) -> None:
        """Have the pairs of who was changed say what speaks for them now. Who is new has none."""
        new = {who.customer_id for _, who in met if who.is_new}
        recognised_anew = {self._changes[owner].id for owner in self._recognised_anew}
        await self._weighing.weigh_again((self._changes.compared_anew | recognised_anew) - new)

    async def _keep_addresses(self, told: Sequence[tuple[CustomerTold | OrderTold, UUID]]) -> None:
        telling = AddressTelling(
            uow=self._uow,
            changes=self._changes,
            hearing=self._hearing,
            reader=address_reader(),
        )
        await telling.keep(
            [
                AddressesTold(
                    customer_id,
                    delivery.person.speaker,
                    delivery.addresses,
                    in_passing=delivery.person.in_passing,
                )
                for delivery, customer_id in told
            ]
        )

    async def _record_consents(self, met: Iterable[tuple[Person, Recognised]]) -> None:
        answers = [
            Answer(
                customer_id=who.customer_id,
                purpose="marketing",
                channel=channel,
                status=status,
                at=person.at,
                source=person.origin.source,
                proof={
                    "topic": person.origin.topic,
                    "delivery_id": str(person.origin.delivery_id),
                    "connection_id": str(person.origin.connection_id),
                },
                act="told_by_platform",
            )
            for person, who in met
            for channel, status in person.marketing().items()
        ]
        recorder = ConsentRecorder(uow=self._uow, changes=self._changes)
        await recorder.record_news(answers)

    async def _tell_of_gone(self, deliveries: Iterable[Delivery], recognition: Recognition) -> None:
        gone = [d.person for d in deliveries if isinstance(d, CustomerGone)]
        owned = [
            (recognition.owner(identity), person)
            for person in gone
            for identity in person.identities
        ]
        await self._timeline.add(
            [
                Entry(
                    customer_id=owner,
                    type="customer.deleted_at_source",
                    occurred_at=person.at,
                    data={"source": person.origin.source},
                )
                for owner, person in owned
                if owner is not None
            ]
        )

    async def _keep_orders(self, deliveries: Iterable[Delivery], owners: dict[int, UUID]) -> None:
        news: list[OrderNews] = []
        for delivery in deliveries:
            if isinstance(delivery, OrderTold):
                owner = owners[id(delivery)]
                news.append(IncomingOrder(owner, delivery.content, delivery.lines, delivery.parts))
            elif isinstance(delivery, OrderRemoval):
                news.append(delivery)
        if news:
            keeper = OrderKeeper(
                uow=self._uow,
                orders=OrderRepository(self._uow),
                changes=self._changes,
                shop=self._shop,
                followers=self._followers,
            )
            await keeper.keep(news)


def _given(new: NewCustomer, choice: Choice | None) -> NewCustomer:
    """The customer, with the owner whom the shop's rules have found."""
    if choice is None:
        return new
    return replace(new, record=replace(new.record, owner_id=choice.owner_id))


def _platform_key(person: Person) -> tuple[str, str] | None:
    ids = (i for i in person.identities if i.kind == "platform_id")
    return next(((i.scope, i.value) for i in ids), None)


def _recognised_entries(given: Iterable[tuple[UUID, Identity]], at: datetime) -> list[Entry]:
    """That a known customer turned up somewhere else too."""
    return [
        Entry(
            customer_id=owner,
            type="customer.recognised",
            occurred_at=at,
            data={"source": identity.source},
        )
        for owner, identity in given
        if identity.kind == "platform_id" and not identity.value.startswith("guest:")
    ]
