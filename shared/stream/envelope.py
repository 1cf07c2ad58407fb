"""An event on its way, and the batch that carries it. JSON on the wire."""

import builtins
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

import orjson

from shared.contracts.event import Event
from shared.ids import TenantId
from shared.json import dumps, dumps_text

EventT = TypeVar("EventT", bound=Event)
_FRAME_BYTES = 256


@dataclass(frozen=True, slots=True)
class StreamId:
    """One tenant's events of one source part; `split` divides the stream of a large tenant."""

    tenant_id: TenantId
    source: str
    split: int = 0


@dataclass(frozen=True, slots=True)
class Envelope:
    """One event with its place in the stream."""

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
            id=UUID(raw["id"]),
            key=UUID(raw["key"]),
            type=raw["type"],
            occurred_at=datetime.fromisoformat(raw["occurred_at"]),
            data=raw["data"],
            context=raw["context"],
        )


@dataclass(frozen=True, slots=True)
class OutgoingEvent:
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

    def wire_size(self) -> int:
        """How many bytes it takes in a batch, nearly: text counts once, the frame is small."""
        return len(self.data) + len(self.context) + _FRAME_BYTES


class Carried(Protocol):
    """What a batch carries."""

    @property
    def type(self) -> str:
        """The event's type."""
        ...

    def as_json(self) -> dict[str, Any]:
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
