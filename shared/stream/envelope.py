"""An event on its way, and the batch that carries it. JSON on the wire."""

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

import orjson
from asyncpg.pgproto.pgproto import UUID as _parsed_id  # noqa: N811  (a UUID, read in C)

from shared.contracts.event import Event
from shared.ids import TenantId
from shared.json import dumps, dumps_text

EventT = TypeVar("EventT", bound=Event)


@dataclass(frozen=True, slots=True)
class StreamId:
    """One tenant's events of one source part; `split` divides the stream of a large tenant."""

    tenant_id: TenantId
    source: str
    split: int = 0


class Envelope(NamedTuple):
    """One event with its place in the stream.

    A tuple, as are the other classes here of which there is one per event: there are thousands a
    second, and making a frozen dataclass takes thrice the time.
    """

    tenant_id: TenantId
    source: str
    position: int
    id: UUID
    key: UUID
    type: str
    occurred_at: datetime
    data: dict[str, Any]
    context: dict[str, str]

    def read(self, contract: builtins.type[EventT]) -> EventT:
        """The event as its contract. Raises pydantic.ValidationError when it is not one."""
        return contract.model_validate(self.data)

    def as_json(self) -> dict[str, Any]:
        """A form that `from_json` reads back."""
        return {
            "position": self.position,
            "id": self.id,
            "key": self.key,
            "type": self.type,
            "occurred_at": self.occurred_at,
            "data": self.data,
            "context": self.context,
        }

    def wire_size(self) -> int:
        """How many bytes it takes in a batch, nearly."""
        return len(dumps(self.as_json()))

    @classmethod
    def from_json(cls, stream: StreamId, raw: dict[str, Any]) -> "Envelope":
        """An envelope of `stream` from its wire form."""
        return cls(
            tenant_id=stream.tenant_id,
            source=stream.source,
            position=raw["position"],
            id=_parsed_id(raw["id"]),
            key=_parsed_id(raw["key"]),
            type=raw["type"],
            occurred_at=datetime.fromisoformat(raw["occurred_at"]),
            data=raw["data"],
            context=raw["context"],
        )


class OutgoingEvent(NamedTuple):
    """An event as it leaves: its JSON is passed on as it lies in the outbox, unread."""

    position: int
    id: UUID
    key: UUID
    type: str
    occurred_at: datetime
    data: str
    context: str

    def as_json(self) -> dict[str, Any]:
        """The same form as an envelope's."""
        return {
            "position": self.position,
            "id": self.id,
            "key": self.key,
            "type": self.type,
            "occurred_at": self.occurred_at,
            "data": orjson.Fragment(self.data),
            "context": orjson.Fragment(self.context),
        }


class EncodedEvent(NamedTuple):
    """An outgoing event as it goes over the wire, made once for all its consumers."""

    type: str
    size: int
    wire: orjson.Fragment

    @classmethod
    def of(cls, event: OutgoingEvent) -> "EncodedEvent":
        """The wire form of an event."""
        encoded = dumps(event.as_json())
        return cls(event.type, len(encoded), orjson.Fragment(encoded))

    def as_json(self) -> orjson.Fragment:
        """The same form as an envelope's, passed on unread."""
        return self.wire

    def wire_size(self) -> int:
        """How many bytes it takes in a batch."""
        return self.size


class Carried(Protocol):
    """What a batch carries."""

    @property
    def type(self) -> str:
        """The event's type."""
        ...

    def as_json(self) -> dict[str, Any] | orjson.Fragment:
        """The wire form."""
        ...

    def wire_size(self) -> int:
        """How many bytes it takes in a batch, nearly."""
        ...


CarriedT = TypeVar("CarriedT", bound=Carried)


@dataclass(frozen=True, slots=True)
class Batch(Generic[CarriedT]):
    """The events of positions `first`..`last` that interest one consumer.

    Positions of events that do not interest it are covered by the range and not carried.
    """

    stream: StreamId
    first: int
    last: int
    events: Sequence[CarriedT]

    def dump(self) -> str:
        """The wire form."""
        return dumps_text(
            {
                "tenant": self.stream.tenant_id,
                "source": self.stream.source,
                "split": self.stream.split,
                "first": self.first,
                "last": self.last,
                "events": [event.as_json() for event in self.events],
            }
        )

    @staticmethod
    def load(wire: str) -> "Batch[Envelope]":
        """A batch from its wire form."""
        raw = orjson.loads(wire)
        stream = StreamId(TenantId(UUID(raw["tenant"])), raw["source"], raw["split"])
        events = [Envelope.from_json(stream, event) for event in raw["events"]]
        return Batch(stream, raw["first"], raw["last"], events)
