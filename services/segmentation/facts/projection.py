"""Applies what other services tell to the facts, a batch at a time."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol, TypeVar
from uuid import UUID

from services.segmentation.facts.figures import Stale, refresh_figures
from services.segmentation.facts.newest import NewestStates
from services.segmentation.facts.repository import (
    MESSAGE_FACTS,
    ORDER_FACTS,
    TICKET_FACTS,
    FactRepository,
    FactTable,
)
from services.segmentation.facts.rows import (
    Row,
    message_row,
    order_row,
    profile_row,
    ticket_row,
)
from services.segmentation.tenants.repository import Shop
from shared.db.unit_of_work import UnitOfWork


class FactGroup(StrEnum):
    """What sort of fact has changed about a customer."""

    PROFILE = "profile"
    ORDERS = "orders"
    TICKETS = "tickets"
    MESSAGES = "messages"
    BEING = "being"  # they are a customer now and were none before, which concerns every rule


Changes = Mapping[UUID, frozenset[FactGroup]]
"""What has changed, by customer."""


class _AboutCustomer(Protocol):
    @property
    def version(self) -> int: ...

    @property
    def customer_id(self) -> UUID | None: ...


StateT = TypeVar("StateT", bound=_AboutCustomer)


@dataclass(frozen=True, slots=True)
class _NewFacts:
    """Facts of one kind that are newer than those in the table, and whom they are about."""

    table: FactTable
    rows: Collection[Row]
    touched: frozenset[UUID]


class Projection:
    """The facts of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, shop: Shop) -> None:
        self._uow = uow
        self._facts = FactRepository(uow)
        self._shop = shop

    async def apply(self, newest: NewestStates) -> Changes:
        """Write what is newer than what is known; what has changed about whom.

        The profiles of everybody in the answer stay locked, so that whoever is evaluated next is
        evaluated with all their facts, whichever service told of them.
        """
        orders = await self._newer(ORDER_FACTS, newest.orders, order_row)
        tickets = await self._newer(TICKET_FACTS, newest.tickets, ticket_row)
        messages = await self._newer(MESSAGE_FACTS, newest.messages, message_row)
        about = orders.touched | tickets.touched | messages.touched
        versions = await self._facts.lock_profiles(about | newest.customers.keys())
        strangers = about - versions.keys() - newest.customers.keys()
        changed = {
            key for key, state in newest.customers.items() if state.version > versions.get(key, -1)
        }
        await self._put_profiles(newest, changed, strangers)
        for facts in (orders, tickets, messages):
            if facts.rows:
                await self._facts.put(facts.table, facts.rows)
        # During a rebuild, profiles come back whose tickets and messages have been here all along.
        back = changed - versions.keys() | strangers if self._shop.suspended else strangers
        await refresh_figures(
            self._uow,
            Stale(orders.touched | back, tickets.touched | back, messages.touched | back),
            currency=self._shop.currency,
        )
        return _by_customer(
            {
                FactGroup.PROFILE: changed,
                FactGroup.ORDERS: orders.touched,
                FactGroup.TICKETS: tickets.touched,
                FactGroup.MESSAGES: messages.touched,
                FactGroup.BEING: {key for key in changed if versions.get(key, 0) == 0},
            }
        )

    async def _newer(
        self,
        table: FactTable,
        states: Mapping[UUID, StateT],
        row: Callable[[StateT], Row],
    ) -> _NewFacts:
        """Those of the states that are newer; the touched are their owners and former owners."""
        known = await self._facts.known(table, states) if states else {}
        rows: list[Row] = []
        touched: set[UUID] = set()
        for key, state in states.items():
            before = known.get(key)
            if state.customer_id is None or (before and state.version <= before.version):
                continue
            rows.append(row(state))
            touched.add(state.customer_id)
            if before is not None:
                touched.add(before.customer_id)
        return _NewFacts(table, rows, frozenset(touched))

    async def _put_profiles(
        self, newest: NewestStates, changed: Iterable[UUID], strangers: Collection[UUID]
    ) -> None:
        rows = [profile_row(newest.customers[key]) for key in changed]
        if rows:
            await self._facts.put_profiles(rows)
        if strangers:
            await self._facts.add_strangers(strangers)


def _by_customer(changed: Mapping[FactGroup, Collection[UUID]]) -> Changes:
    groups: dict[UUID, set[FactGroup]] = {}
    for group, customers in changed.items():
        for customer_id in customers:
            groups.setdefault(customer_id, set()).add(group)
    return {customer_id: frozenset(found) for customer_id, found in groups.items()}
