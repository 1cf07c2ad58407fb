"""Customers and orders, as the customer service tells of them."""

from collections.abc import Sequence
from uuid import UUID

from services.messaging.recipients.repository import RecipientRepository
from shared.contracts.customer import CustomerState, CustomerUpdated, OrderState, OrderUpdated
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def project_customers(uow: UnitOfWork, events: Sequence[Envelope]) -> list[UUID]:
    """Bring recipients up to date; the customers that were told of."""
    newest: dict[UUID, CustomerState] = {}
    for event in events:
        # The three customer events have one shape; any of them reads all.
        state = event.read(CustomerUpdated).customer
        known = newest.get(state.customer_id)
        if known is None or state.version > known.version:
            newest[state.customer_id] = state
    await RecipientRepository(uow).project_customers(newest.values())
    return list(newest)


async def project_orders(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Remember the last order of each customer for templates."""
    newest: dict[UUID, OrderState] = {}
    for event in events:
        state = event.read(OrderUpdated).order
        known = newest.get(state.customer_id)
        if known is None or _order_of(state) > _order_of(known):
            newest[state.customer_id] = state
    await RecipientRepository(uow).project_orders(newest.values())


def _order_of(state: OrderState) -> tuple[object, ...]:
    return (state.placed_at, state.order_id, state.version)
