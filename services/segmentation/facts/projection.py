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
    KnownProfile,
)
from services.segmentation.facts.rows import (
    Row,
    consent_end_rows,
    message_row,
    order_row,
    profile_row,
    ticket_row,
)
from services.segmentation.tenants.repository import Shop
from shared.contracts.customer import CustomerState
from shared.db.unit_of_work import UnitOfWork


class FactGroup(StrEnum):
    """What sort of fact has changed about a customer."""

    PROFILE = "profile"
    ORDERS = "orders"
    TICKETS = "tickets"
    MESSAGES = "messages"
    # These concern every rule.
    BEING = "being"  # they are a customer now and were none before
    MERGED = "merged"  # another record stands for them now, or they stand for another
    UNMERGED = "unmerged"  # as before that
    REMOVED = "removed"  # what brought them was taken back: they are nobody


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


@dataclass(frozen=True, slots=True)
class _Regrouping:
    """What a batch changes about who stands for whom: who is one with more, and with fewer."""

    merged: frozenset[UUID]
    parted: frozenset[UUID]

    @classmethod
    def of(
        cls, states: Iterable[CustomerState], known: Mapping[UUID, KnownProfile]
    ) -> "_Regrouping":
        """Of states that are newer than what is known."""
        joined: set[UUID] = set()
        left: set[UUID] = set()
        roots_of: dict[UUID, UUID | None] = {}
        for state in states:
            before = known.get(state.customer_id)
            root_before = before.merged_into if before else None
            if state.merged_into == root_before:
                continue
            roots_of[state.customer_id] = state.merged_into
            if state.merged_into is not None:
                joined.add(state.merged_into)
            if root_before is not None:
                left.add(root_before)
        # What became of a record itself says more than what its others did.
        merged = {key for key, root in roots_of.items() if root is not None}
        alone = roots_of.keys() - merged
        return cls(
            frozenset(merged | (joined - roots_of.keys())),
            frozenset(alone | (left - roots_of.keys())),
        )

    @property
    def everybody(self) -> frozenset[UUID]:
        """Whose records are others than before."""
        return self.merged | self.parted


class Projection:
    """The facts of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, shop: Shop) -> None:
        self._uow = uow
        self._facts = FactRepository(uow)
        self._shop = shop

    async def apply(self, newest: NewestStates) -> Changes:
        """Write what is newer than what is known; what has changed about whom.

        What is told of a merged record has changed the record that stands for it. The profiles of
        everybody in the answer stay locked, so that whoever is evaluated next is evaluated with
        all their facts, whichever service told of them.
        """
        orders = await self._newer(ORDER_FACTS, newest.orders, order_row)
        tickets = await self._newer(TICKET_FACTS, newest.tickets, ticket_row)
        messages = await self._newer(MESSAGE_FACTS, newest.messages, message_row)
        told = newest.customers
        roots = {state.merged_into for state in told.values() if state.merged_into is not None}
        about = orders.touched | tickets.touched | messages.touched | roots
        known = await self._facts.lock_profiles(about | told.keys())
        strangers = about - known.keys() - told.keys()
        changed = {
            key
            for key, state in told.items()
            if key not in known or state.version > known[key].version
        }
        await self._put_profiles(newest, changed, strangers)
        for facts in (orders, tickets, messages):
            if facts.rows:
                await self._facts.put(facts.table, facts.rows)
        regrouping = _Regrouping.of((told[key] for key in changed), known)
        await self._facts.regroup(regrouping.everybody)
        # During a rebuild, profiles come back whose tickets and messages have been here all along.
        back = changed - known.keys() | strangers if self._shop.suspended else strangers
        anew = back | regrouping.everybody

        def stands_for(customer_id: UUID) -> UUID:
            if customer_id in changed:
                return told[customer_id].merged_into or customer_id
            before = known.get(customer_id)
            return (before.merged_into if before else None) or customer_id

        people = {
            group: touched | {stands_for(customer_id) for customer_id in touched}
            for group, touched in (
                (FactGroup.ORDERS, orders.touched),
                (FactGroup.TICKETS, tickets.touched),
                (FactGroup.MESSAGES, messages.touched),
            )
        }
        await refresh_figures(
            self._uow,
            Stale(*(touched | anew for touched in people.values())),
            currency=self._shop.currency,
        )
        return _by_customer(
            {
                FactGroup.PROFILE: changed,
                **people,
                FactGroup.BEING: {
                    key
                    for key in changed
                    if key not in known
                    or known[key].version == 0
                    or known[key].removed > told[key].removed
                },
                FactGroup.REMOVED: {key for key in changed if told[key].removed},
                FactGroup.MERGED: regrouping.merged,
                FactGroup.UNMERGED: regrouping.parted,
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
        states = [newest.customers[key] for key in changed]
        if states:
            await self._facts.put_profiles([profile_row(state) for state in states])
        ends = [row for state in states for row in consent_end_rows(state)]
        if ends:
            await self._facts.add_consent_ends(ends)
        if strangers:
            await self._facts.add_strangers(strangers)


def _by_customer(changed: Mapping[FactGroup, Collection[UUID]]) -> Changes:
    groups: dict[UUID, set[FactGroup]] = {}
    for group, customers in changed.items():
        for customer_id in customers:
            groups.setdefault(customer_id, set()).add(group)
    return {customer_id: frozenset(found) for customer_id, found in groups.items()}
