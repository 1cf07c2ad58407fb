"""News of orders, and what they change."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Protocol
from uuid import UUID

from services.customer.orders.parts import OrderPart
from services.customer.orders.record import Key, OrderContent, OrderLine, OrderRecord


@dataclass(frozen=True, slots=True)
class IncomingOrder:
    """What was told of an order, and whose it is; parts that are not told stay as they are.

    Without `is_dated` nobody told when it was placed: where that is known already, it stands.
    """

    customer_id: UUID
    content: OrderContent
    lines: tuple[OrderLine, ...]
    parts: tuple[OrderPart, ...] = ()
    is_dated: bool = True

    @property
    def key(self) -> Key:
        """What makes two deliveries speak of one order."""
        return self.content.key


@dataclass(frozen=True, slots=True)
class OrderPartsTold:
    """News of payments, refunds, returns, fulfillments of an order that is known."""

    key: Key
    parts: tuple[OrderPart, ...]


@dataclass(frozen=True, slots=True)
class OrderCancellation:
    """An order was called off."""

    key: Key
    reason: str | None
    at: datetime


@dataclass(frozen=True, slots=True)
class OrderRemoval:
    """An order is gone from the system it came from."""

    key: Key
    at: datetime


OrderNews = IncomingOrder | OrderPartsTold | OrderCancellation | OrderRemoval


_WORDS: Final = ("reference", "reason", "tracking_number", "tracking_url")


def without_words(news: OrderNews) -> OrderNews:
    """What of some news may be kept of an order of somebody erased: figures, and no words."""
    match news:
        case IncomingOrder(content=content, parts=parts):
            content = replace(content, cancel_reason=None, details=None)
            return replace(news, content=content, parts=_wordless(parts))
        case OrderPartsTold(parts=parts):
            return replace(news, parts=_wordless(parts))
        case OrderCancellation():
            return replace(news, reason=None)
        case OrderRemoval():
            return news


def _wordless(parts: Iterable[OrderPart]) -> tuple[OrderPart, ...]:
    words: dict[str, Any] = dict.fromkeys(_WORDS)
    return tuple(
        replace(part, **{name: words[name] for name in words if hasattr(part, name)})
        for part in parts
    )


@dataclass(frozen=True, slots=True)
class OrderChange:
    """An order before and after; without a before it is new."""

    before: OrderRecord | None
    after: OrderRecord


class OrderFollower(Protocol):
    """Whoever has something to do in the unit of work in which orders come or change.

    Of new orders alone they are asked only where the shop has a programme by which those earn.
    """

    async def follow(self, changes: Sequence[OrderChange]) -> None:
        """Do it; the customers of the orders are locked, and the orders are kept."""
        ...
