"""Decisions about single orders."""

from collections.abc import Sequence
from uuid import UUID

from services.customer.customers.changes import CustomerChanges
from services.customer.customers.errors import CustomerNotFound
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families
from services.customer.orders.errors import OrderJustArrived, OrderNotFound
from services.customer.orders.keeping import IncomingOrder, OrderFollower, OrderKeeper
from services.customer.orders.record import OrderRecord
from services.customer.orders.repository import OrderRepository
from services.customer.orders.schemas import OrderCreate
from services.customer.tenants.shops import Shops
from services.customer.timeline.repository import TimelineRepository
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight


class OrderService:
    """What clients can do with orders."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        orders: OrderRepository,
        customers: CustomerRepository,
        timeline: TimelineRepository,
        shops: Shops,
        sight: Sight | None,
        followers: Sequence[OrderFollower] = (),
    ) -> None:
        self._uow = uow
        self._sight = sight
        self._orders = orders
        self._customers = customers
        self._timeline = timeline
        self._shops = shops
        self._followers = followers

    async def put(self, given: OrderCreate) -> tuple[OrderRecord, bool]:
        """The order as it is now; True if it is new.

        The same source and external id are the same order, whatever else differs. Raises
        CustomerNotFound.
        """
        try:
            async with self._uow.savepoint():
                return await self._keep(given)
        except OrderJustArrived:
            return await self._keep(given)

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

    async def _keep(self, given: OrderCreate) -> tuple[OrderRecord, bool]:
        changes = CustomerChanges(self._uow, sight=self._sight)
        await changes.lock([given.customer_id])
        now = self._uow.clock.now()
        content = given.content(
            placed_at=given.placed_at or now, changed_at=given.changed_at or now
        )
        changes[given.customer_id]
        incoming = IncomingOrder(given.customer_id, content, given.order_lines())
        keeper = OrderKeeper(
            uow=self._uow,
            orders=self._orders,
            timeline=self._timeline,
            changes=changes,
            shop=await self._shops.of(self._uow),
            followers=self._followers,
        )
        kept = await keeper.keep([incoming])
        await changes.save()
        order, created = kept[incoming.key]
        if self._sight is not None:
            # Old news change nothing, but must not tell of an order of somebody else's customer.
            await self._customers.get(order.customer_id)
        return order, created
