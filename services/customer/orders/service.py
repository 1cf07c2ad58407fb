"""Decisions about single orders."""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import CustomerIsErased, CustomerNotFound
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.orders.auditing import order_entry
from services.customer.orders.errors import NotYetHappened, OrderNotFound
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.orders.keeping import OrderKeeper
from services.customer.orders.news import (
    IncomingOrder,
    OrderCancellation,
    OrderFollower,
    OrderNews,
    OrderPartsTold,
    without_words,
)
from services.customer.orders.part_repository import OrderPartRepository
from services.customer.orders.part_schemas import PartWrite
from services.customer.orders.parts import MOST_PARTS, OrderPart, OrderParts
from services.customer.orders.record import OrderRecord
from services.customer.orders.repository import IS_KNOWN, OrderRepository, asking_for
from services.customer.orders.schemas import OrderCancel, OrderCreate
from services.customer.tenants.shops import Shops
from shared.db.paging import PageRequest
from shared.db.prepared import Rows
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_MOST_AHEAD: Final = timedelta(days=1)


class OrderService:
    """What clients can do with orders."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        orders: OrderRepository,
        customers: CustomerRepository,
        shops: Shops,
        sight: Sight | None,
        parts: OrderPartRepository,
        figures: OrderFiguresRepository,
        people: SeenPeople,
        followers: Sequence[OrderFollower] = (),
    ) -> None:
        self._uow = uow
        self._parts = parts
        self._figures = figures
        self._people = people
        self._sight = sight
        self._orders = orders
        self._customers = customers
        self._shops = shops
        self._followers = followers

    async def put(self, given: OrderCreate) -> tuple[OrderRecord, bool]:
        """The order as it is now; True if it is new.

        The same source and external id are the same order, whatever else differs. Raises
        CustomerNotFound, CustomerIsErased, NotYetHappened, TooManyOrderParts, OrderFiguresTooLarge.
        """
        now = self._uow.clock.now()
        _check_moments(given.moments(), now)
        content = given.content(
            placed_at=given.placed_at or now, changed_at=given.changed_at or now
        )
        parts = given.parts(changed_at=content.changed_at, now=now)
        incoming = IncomingOrder(
            given.customer_id,
            content,
            given.order_lines(),
            parts,
            is_dated=given.placed_at is not None,
        )
        order, created = await self._keep(given.customer_id, incoming)
        if self._sight is not None:
            # Old news change nothing, but must not tell of an order of somebody else's customer.
            await self._customers.get(order.customer_id)
        return order, created

    async def take_part(
        self, order_id: UUID, given: PartWrite
    ) -> tuple[OrderRecord, OrderPart, bool]:
        """The order and the part as they are now; True if the part is new.

        Raises OrderNotFound, NotYetHappened, OrderCurrencyMismatch, TooManyOrderParts.
        """
        order = await self.get(order_id)
        given.check(order)
        now = self._uow.clock.now()
        _check_moments(given.moments("/body"), now)
        told = given.part(changed_at=given.changed_at or now, now=now)
        order, _ = await self._keep(order.customer_id, OrderPartsTold(order.key, (told,)))
        parts = await self.parts_of(order)
        part = parts.find(told.kind, told.external_id)
        return order, part, part.id == told.id

    async def cancel(self, order_id: UUID, given: OrderCancel) -> OrderRecord:
        """The order, called off; done twice, it is done once.

        Raises OrderNotFound, NotYetHappened.
        """
        order = await self.get(order_id)
        now = self._uow.clock.now()
        at = given.cancelled_at or now
        _check_moments([("/body/cancelled_at", at)], now)
        news = OrderCancellation(order.key, given.reason, at)
        cancelled, _ = await self._keep(order.customer_id, news)
        return cancelled

    async def parts_of(self, order: OrderRecord) -> OrderParts:
        """What belongs to an order."""
        if not order.has_parts:
            return OrderParts()
        return (await self._parts.of_orders([order.id]))[order.id]

    def now(self) -> datetime:
        """The moment that answers speak of."""
        return self._uow.clock.now()

    async def figures_of(self, customer_id: UUID) -> tuple[UUID, Rows]:
        """Who stands for a person, and what all their orders come to, by currency.

        Raises CustomerNotFound.
        """
        family = await self._people.family(customer_id)
        return family.root_id, await self._figures.by_currency(family.member_ids)

    async def get(self, order_id: UUID) -> OrderRecord:
        """Raises OrderNotFound, also for an order of a customer whom the caller does not see."""
        order = await self._orders.get(order_id)
        if self._sight is not None:
            try:
                await self._customers.get(order.customer_id)
            except CustomerNotFound as error:
                raise OrderNotFound from error
        return order

    async def list_of(
        self, customer_id: UUID, request: PageRequest
    ) -> tuple[list[OrderRecord], str | None]:
        """A page of a customer's orders, newest first. Raises CustomerNotFound."""
        await self._customers.get(customer_id)
        family = await Families(self._uow).of(customer_id)
        return await self._orders.list_of(family.member_ids, request)

    async def _keep(self, customer_id: UUID, news: OrderNews) -> tuple[OrderRecord, bool]:
        changes = CustomerChanges(self._uow, sight=self._sight)
        is_known = await changes.lock_and_ask(customer_id, IS_KNOWN, asking_for(news.key))
        if changes[customer_id].erased_at is not None:  # Raises CustomerNotFound.
            if news.key not in await self._orders.lock([news.key]):
                raise CustomerIsErased
            news = without_words(news)
        keeper = OrderKeeper(
            uow=self._uow,
            orders=self._orders,
            changes=changes,
            shop=await self._shops.of(self._uow),
            followers=self._followers,
            most_parts=MOST_PARTS,
        )
        kept = await keeper.keep([news], are_new=is_known is False)
        order, is_new = kept.orders[news.key]
        # Here and not at the edge: so it is written with everything else.
        self._uow.record(order_entry(order, kept.changes, kept.parts))
        await changes.save()
        return order, is_new


def _check_moments(told: Iterable[tuple[str, datetime]], now: datetime) -> None:
    for pointer, moment in told:
        if moment > now + _MOST_AHEAD:
            raise NotYetHappened(pointer)
