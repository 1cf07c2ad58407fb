"""Of many events, what counts: the newest state of each object."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Protocol, TypeVar
from uuid import UUID

from shared.contracts.customer import (
    CustomerCreated,
    CustomerMerged,
    CustomerSnapshotted,
    CustomerState,
    CustomerUnmerged,
    CustomerUpdated,
    OrderPlaced,
    OrderSnapshotted,
    OrderState,
    OrderUpdated,
)
from shared.contracts.event import Event
from shared.contracts.messaging import MessageFailed, MessageSent, MessageState, MessageSuppressed
from shared.contracts.support_ticket import (
    SurveyAnswered,
    TicketCreated,
    TicketResolved,
    TicketSnapshotted,
    TicketState,
    TicketUpdated,
)
from shared.contracts.topology import CUSTOMER_STATE, MESSAGE_STATE, ORDER_STATE, TICKET_STATE
from shared.stream.envelope import Envelope

STATE_EVENTS: Final[tuple[type[Event], ...]] = (
    *CUSTOMER_STATE,
    *ORDER_STATE,
    *TICKET_STATE,
    SurveyAnswered,
    *MESSAGE_STATE,
)
_CONTRACTS: Final[Mapping[str, type[Event]]] = {event.type: event for event in STATE_EVENTS}


class _Versioned(Protocol):
    @property
    def version(self) -> int: ...


StateT = TypeVar("StateT", bound=_Versioned)


@dataclass(frozen=True, slots=True)
class ScoredTicket:
    """A ticket, and since when its customer is known to be as (un)happy as it says."""

    state: TicketState
    csat_at: datetime | None

    @property
    def version(self) -> int:
        """The version of the state."""
        return self.state.version

    @property
    def customer_id(self) -> UUID | None:
        """Whose ticket it is, when that is known."""
        return self.state.customer_id


@dataclass(frozen=True, slots=True)
class NewestStates:
    """The newest state of each object that a batch of events told of, by its id."""

    customers: dict[UUID, CustomerState] = field(default_factory=dict)
    orders: dict[UUID, OrderState] = field(default_factory=dict)
    tickets: dict[UUID, ScoredTicket] = field(default_factory=dict)
    messages: dict[UUID, MessageState] = field(default_factory=dict)

    @classmethod
    def of(cls, envelopes: Sequence[Envelope]) -> "NewestStates":
        """Raises pydantic.ValidationError when an event is not what its type says."""
        newest = cls()
        for envelope in envelopes:
            newest._add(envelope.read(_CONTRACTS[envelope.type]), envelope.occurred_at)
        return newest

    def _add(self, event: Event, occurred_at: datetime) -> None:
        match event:
            case (
                CustomerCreated()
                | CustomerUpdated()
                | CustomerSnapshotted()
                | CustomerMerged()
                | CustomerUnmerged()
            ):
                _keep(self.customers, event.customer.customer_id, event.customer)
            case OrderPlaced() | OrderUpdated() | OrderSnapshotted():
                _keep(self.orders, event.order.order_id, event.order)
            case TicketCreated() | TicketUpdated() | TicketResolved() | TicketSnapshotted():
                self._add_ticket(event.ticket, occurred_at)
            case SurveyAnswered():
                scored = event.ticket.model_copy(update={"csat": event.score})
                self._add_ticket(scored, event.answered_at)
            case MessageSent() | MessageSuppressed() | MessageFailed():
                _keep(self.messages, event.message.message_id, event.message)
            case _:
                raise AssertionError(f"{event.type} carries no state")

    def _add_ticket(self, ticket: TicketState, occurred_at: datetime) -> None:
        known = self.tickets.get(ticket.ticket_id)
        if known is not None and known.state.csat == ticket.csat:
            occurred_at = known.csat_at or occurred_at
        csat_at = None if ticket.csat is None else occurred_at
        _keep(self.tickets, ticket.ticket_id, ScoredTicket(ticket, csat_at))


def _keep(states: dict[UUID, Any], key: UUID, state: _Versioned) -> None:
    known = states.get(key)
    if known is None or state.version > known.version:
        states[key] = state
