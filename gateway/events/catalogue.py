"""The public catalogue: which of our contracts the outside hears of, under which stable names.

Names and data of these events are a promise. They are told apart from the contracts between our
parts so that those can change. What is not listed here (snapshots, raw deliveries of platforms,
links that are credentials) never leaves.

`gateway/events/public/` has the events, a module for each part of the house: what they carry, the
events themselves, and `EVENTS`, which says what contract each is made of.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import Field

from gateway.events.projection import Plain, PublicObject, project
from gateway.events.public import (
    care,
    customers,
    house,
    leads,
    loyalty,
    messages,
    orders,
    privacy,
    segments,
    tickets,
)
from gateway.events.public.base import EventBase
from shared.contracts.event import Event as Contract

FeedEvent = Annotated[
    customers.CustomerEvent
    | privacy.PrivacyEvent
    | leads.LeadEvent
    | orders.OrderEvent
    | loyalty.LoyaltyEvent
    | care.CareEvent
    | tickets.TicketEvent
    | messages.MessageEvent
    | segments.SegmentEvent
    | house.HouseEvent,
    Field(discriminator="type"),
]


@dataclass(frozen=True, slots=True)
class Published:
    """How one contract is published."""

    name: str
    project: Callable[[Plain], dict[str, Any]]


_PARTS: Final = (
    *(customers, privacy, leads, orders, loyalty, care),
    *(tickets, messages, segments, house),
)
_PUBLIC: Final[Mapping[type[Contract], type[EventBase]]] = {
    contract: public for part in _PARTS for contract, public in part.EVENTS.items()
}


def _published(public: type[EventBase]) -> Published:
    data: type[PublicObject] = public.model_fields["data"].annotation  # type: ignore[assignment]
    return Published(name_of(public), lambda contract: project(data, contract))


def name_of(public: type[EventBase]) -> str:
    """The public name of an event."""
    name: str = public.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]
    return name


CONTRACTS: Final[tuple[type[Contract], ...]] = tuple(_PUBLIC)
PUBLIC_EVENTS: Final[tuple[type[EventBase], ...]] = tuple(_PUBLIC.values())
PUBLISHED: Final[Mapping[str, Published]] = {
    contract.type: _published(public) for contract, public in _PUBLIC.items()
}
"""By the type of the contract."""

PUBLIC_TYPES: Final[tuple[str, ...]] = tuple(sorted(map(name_of, PUBLIC_EVENTS)))
TEST_TYPE: Final = name_of(house.WebhookEndpointTest)
EVERYTHING: Final = "*"


def unknown_patterns(patterns: Iterable[str]) -> list[str]:
    """Those of the patterns (`ticket.created`, `ticket.*`, `*`) that no public event can match."""
    return [pattern for pattern in patterns if not any(map(_matcher(pattern), PUBLIC_TYPES))]


def matching_types(patterns: Iterable[str]) -> frozenset[str]:
    """The public events that the patterns stand for."""
    return frozenset(
        name for pattern in patterns for name in PUBLIC_TYPES if _matcher(pattern)(name)
    )


def _matcher(pattern: str) -> Callable[[str], bool]:
    if pattern == EVERYTHING:
        return lambda _name: True
    if pattern.endswith(".*"):
        return lambda name: name.startswith(pattern[:-1])
    return lambda name: name == pattern
