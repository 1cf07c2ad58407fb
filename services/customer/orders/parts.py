"""What belongs to an order: payments, refunds, returns, fulfillments. Pure.

Each has an id of the order's source and the moment of its own last change: whatever order news of
it come in, the newest stands.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime
from typing import Any, ClassVar, Final, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from services.customer.orders.errors import OrderFiguresTooLarge
from shared.ids import new_id
from shared.money import BIGINT_MAX

PaymentStatus = Literal["pending", "authorized", "paid", "failed", "voided"]
ReturnStatus = Literal["requested", "received", "refused"]
FulfillmentStatus = Literal["pending", "shipped", "delivered", "failed", "cancelled"]

MOST_PARTS: Final = 200
"""Of each kind, of one order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPart:
    """What all of them have; money in minor units of the order's currency."""

    kind: ClassVar[str]

    external_id: str
    changed_at: datetime
    created_at: datetime
    updated_at: datetime
    id: UUID = field(default_factory=new_id)
    version: int = 1
    supposed: frozenset[str] = field(default=frozenset(), compare=False)
    """The moments in it that nobody told: where they are known already, they stand."""

    @classmethod
    def columns(cls) -> tuple[str, ...]:
        """The columns of its table, without the order's."""
        return tuple(column.name for column in fields(cls) if column.name != "supposed")

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The part in a row that has its columns."""
        return cls(**{name: getattr(row, name) for name in cls.columns()})

    def as_row(self, order_id: UUID) -> dict[str, Any]:
        """The columns by name."""
        return {"order_id": order_id, **{name: getattr(self, name) for name in self.columns()}}

    def after(self, before: Self) -> Self:
        """This news of what was known before; the very same if it is older.

        Where it is no different, only the moment it was heard of is kept: what was so before it
        and comes late is old news.
        """
        if self.changed_at < before.changed_at:
            return before
        kept = replace(
            self,
            **{name: getattr(before, name) or getattr(self, name) for name in self.supposed},
            id=before.id,
            created_at=before.created_at,
            version=before.version,
        )
        if kept.says_the_same_as(before):
            return replace(before, changed_at=self.changed_at)
        return replace(kept, version=before.version + 1)

    def says_the_same_as(self, other: Self) -> bool:
        """Whether they differ in nothing but when that was heard."""
        return replace(self, changed_at=other.changed_at, updated_at=other.updated_at) == other


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderPayment(OrderPart):
    """Money that came in, or is to."""

    kind: ClassVar[str] = "payment"

    status: PaymentStatus
    amount_minor: int
    method: str | None = None
    reference: str | None = None
    paid_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRefund(OrderPart):
    """Money that went back."""

    kind: ClassVar[str] = "refund"

    amount_minor: int
    refunded_at: datetime
    reason: str | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReturn(OrderPart):
    """Goods that came back, or are to."""

    kind: ClassVar[str] = "return"

    status: ReturnStatus
    requested_at: datetime
    reason: str | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    restock: bool | None = None
    received_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderFulfillment(OrderPart):
    """Goods on their way."""

    kind: ClassVar[str] = "fulfillment"

    status: FulfillmentStatus
    carrier: str | None = None
    tracking_number: str | None = None
    tracking_url: str | None = None
    lines: list[dict[str, Any]] = field(default_factory=list)
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None


PART_KINDS: Final[tuple[type[OrderPart], ...]] = (
    OrderPayment,
    OrderRefund,
    OrderReturn,
    OrderFulfillment,
)


@dataclass(frozen=True, slots=True)
class PartChange:
    """A part before and after; without a before it is new."""

    before: OrderPart | None
    after: OrderPart


@dataclass(frozen=True, slots=True)
class OrderParts:
    """All parts of an order, by kind and in the order in which they became known."""

    payments: tuple[OrderPayment, ...] = ()
    refunds: tuple[OrderRefund, ...] = ()
    returns: tuple[OrderReturn, ...] = ()
    fulfillments: tuple[OrderFulfillment, ...] = ()

    @classmethod
    def gathered(cls, parts: Sequence[OrderPart]) -> Self:
        """The parts, sorted out by kind."""
        return cls(
            payments=tuple(part for part in parts if isinstance(part, OrderPayment)),
            refunds=tuple(part for part in parts if isinstance(part, OrderRefund)),
            returns=tuple(part for part in parts if isinstance(part, OrderReturn)),
            fulfillments=tuple(part for part in parts if isinstance(part, OrderFulfillment)),
        )

    def all(self) -> list[OrderPart]:
        """Every one of them."""
        return [*self.payments, *self.refunds, *self.returns, *self.fulfillments]

    def after(self, news: Iterable[OrderPart]) -> "OrderParts":
        """The parts once these news are taken in."""
        known = self._by_key()
        for part in news:
            key = (part.kind, part.external_id)
            known[key] = part.after(known[key]) if key in known else part
        return OrderParts.gathered(list(known.values()))

    def heard_since(self, before: "OrderParts") -> list[PartChange]:
        """The parts of which anything was heard, be it only once more."""
        known = before._by_key()
        return [
            PartChange(known.get(key), part)
            for key, part in self._by_key().items()
            if part != known.get(key)
        ]

    def changes_since(self, before: "OrderParts") -> list[PartChange]:
        """The parts that are new or differ from what they were."""
        return [
            change
            for change in self.heard_since(before)
            if change.before is None or not change.after.says_the_same_as(change.before)
        ]

    def find(self, kind: str, external_id: str) -> OrderPart:
        """The part of this kind with this id, which is there."""
        return self._by_key()[kind, external_id]

    def most(self) -> int:
        """How many there are of the most frequent kind."""
        return max(map(len, (self.payments, self.refunds, self.returns, self.fulfillments)))

    def _by_key(self) -> dict[tuple[str, str], OrderPart]:
        return {(part.kind, part.external_id): part for part in self.all()}

    def figures(self) -> Mapping[str, Any]:
        """What they come to, as columns of the order.

        Raises OrderFiguresTooLarge when no column could hold a sum.
        """
        paid = [payment for payment in self.payments if payment.status == "paid"]
        paid_minor = sum(payment.amount_minor for payment in paid)
        refunds_minor = sum(refund.amount_minor for refund in self.refunds)
        if max(paid_minor, refunds_minor) > BIGINT_MAX:
            raise OrderFiguresTooLarge
        return {
            "has_parts": bool(self.all()),
            "paid_minor": paid_minor,
            "refunds_minor": refunds_minor,
            "returns_count": sum(each.status == "received" for each in self.returns),
            "paid_at": _latest(payment.paid_at for payment in paid),
            "shipped_at": _first(each.shipped_at for each in self.fulfillments),
            "delivered_at": _latest(each.delivered_at for each in self.fulfillments),
        }


def _latest(moments: Iterable[datetime | None]) -> datetime | None:
    return max((moment for moment in moments if moment is not None), default=None)


def _first(moments: Iterable[datetime | None]) -> datetime | None:
    return min((moment for moment in moments if moment is not None), default=None)
