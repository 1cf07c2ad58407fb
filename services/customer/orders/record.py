"""An order as this service holds it, and as it tells others of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from services.customer.orders.parts import OrderParts
from shared.contracts.customer import OrderLineState, OrderState
from shared.ids import new_id

OrderStatus = Literal["open", "completed", "cancelled"]
FinancialStatus = Literal["pending", "paid", "partially_refunded", "refunded", "voided", "unknown"]

_CLOCKS_DIFFER: Final = timedelta(minutes=5)

PAID_STATUSES = ("paid", "partially_refunded", "refunded")
SPENT_STATUSES = ("paid", "partially_refunded")

Key = tuple[str, str]
"""Scope and external id: what makes two deliveries speak of one order."""


def not_ahead(told_at: datetime, now: datetime) -> datetime:
    """When news was so; now where its source's clock is plainly wrong.

    Else nothing that comes later would ever be newer. Clocks that differ a little keep the order in
    which their news came to be.
    """
    return now if told_at > now + _CLOCKS_DIFFER else told_at


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderLine:
    """One line of an order; money in minor units of the order's currency."""

    title: str
    quantity: int
    unit_price_minor: int
    total_minor: int
    external_id: str | None = None
    product_id: str | None = None
    variant_id: str | None = None
    sku: str | None = None
    discount_minor: int | None = None
    tax_minor: int | None = None
    category: str | None = None
    vendor: str | None = None

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The line in a row that has its columns."""
        return cls(**{name: getattr(row, name) for name in LINE_COLUMNS})

    def as_row(self, order_id: UUID, position: int) -> dict[str, Any]:
        """The columns by name."""
        columns = {name: getattr(self, name) for name in LINE_COLUMNS}
        return {"order_id": order_id, "position": position, **columns}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderContent:
    """What a shop's system says of an order, apart from whose it is."""

    source: str
    scope: str
    external_id: str
    connection_id: UUID | None = None
    number: str
    status: OrderStatus
    financial_status: FinancialStatus
    fulfillment_status: str | None = None
    channel: str | None = None
    store: str | None = None
    currency: str
    total_minor: int
    subtotal_minor: int = 0
    discount_minor: int = 0
    shipping_minor: int = 0
    tax_minor: int = 0
    refunded_minor: int = 0
    placed_at: datetime
    changed_at: datetime
    deleted_at: datetime | None = None
    staff: str | None = None
    cancelled_at: datetime | None = None
    cancel_reason: str | None = None
    details: dict[str, Any] | None = None

    @property
    def key(self) -> Key:
        """What makes two deliveries speak of one order."""
        return (self.scope, self.external_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord(OrderContent):
    """One row of `customer_order`, without its tenant, and its lines in order.

    `financial_status` and `refunded_minor` are what holds: what the source has told, or what the
    payments and refunds that are known come to, if that is more.
    """

    id: UUID
    customer_id: UUID
    told_financial_status: FinancialStatus
    told_refunded_minor: int
    has_parts: bool = False
    paid_minor: int = 0
    refunds_minor: int = 0
    returns_count: int = 0
    paid_at: datetime | None = None
    shipped_at: datetime | None = None
    delivered_at: datetime | None = None
    created_at: datetime
    updated_at: datetime
    version: int
    lines: tuple[OrderLine, ...] = ()

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]], lines: Sequence[OrderLine] = ()) -> Self:
        """The order in a row that has its columns."""
        columns = {name: getattr(row, name) for name in ORDER_COLUMNS}
        # A row of a release that did not know the difference.
        for name in ("financial_status", "refunded_minor"):
            if columns[f"told_{name}"] is None:
                columns[f"told_{name}"] = columns[name]
        return cls(**columns, lines=tuple(lines))

    @classmethod
    def placed(
        cls, content: OrderContent, *, customer_id: UUID, lines: tuple[OrderLine, ...], at: datetime
    ) -> Self:
        """A new order."""
        order = cls(
            **{name: getattr(content, name) for name in CONTENT_COLUMNS},
            id=new_id(),
            customer_id=customer_id,
            told_financial_status=content.financial_status,
            told_refunded_minor=content.refunded_minor,
            created_at=at,
            updated_at=at,
            version=1,
            lines=lines,
        )
        return order.settled()

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: getattr(self, name) for name in ORDER_COLUMNS}

    @property
    def paid(self) -> bool:
        """Whether it was ever paid for."""
        return self.financial_status in PAID_STATUSES and self.status != "cancelled"

    @property
    def paid_since(self) -> datetime:
        """When it was paid for, as far as is told: by what its source said, or the last payment."""
        if self.paid_at is None:
            return self.changed_at
        return max(self.changed_at, not_ahead(self.paid_at, self.updated_at))

    @property
    def counts(self) -> bool:
        """Whether it counts among its customer's orders."""
        return (
            self.status != "cancelled"
            and self.financial_status != "voided"
            and self.deleted_at is None
        )

    @property
    def spent_minor(self) -> int:
        """What was paid for it and not given back."""
        if not self.counts or self.financial_status not in SPENT_STATUSES:
            return 0
        return max(self.total_minor - self.refunded_minor, 0)

    def updated(
        self,
        content: Mapping[str, Any],
        *,
        customer_id: UUID,
        lines: tuple[OrderLine, ...],
        at: datetime,
    ) -> Self:
        """The next version with this content; the very same if it is older.

        Where it is no different, only the moment it was heard of is kept: what was so before it
        and comes late is old news.
        """
        if content["changed_at"] < self.changed_at:
            return self
        after = replace(
            self,
            **content,
            told_financial_status=content["financial_status"],
            told_refunded_minor=content["refunded_minor"],
            customer_id=customer_id,
            lines=lines,
        ).settled(cancelled_at=self.cancelled_at)
        if after.says_the_same_as(self):
            return replace(self, changed_at=after.changed_at)
        return replace(after, updated_at=at, version=self.version + 1)

    def says_the_same_as(self, other: Self) -> bool:
        """Whether they differ in nothing but when that was heard."""
        return replace(self, changed_at=other.changed_at) == other

    def with_parts(self, parts: OrderParts, *, at: datetime) -> Self:
        """The next version, with what its parts come to now."""
        after = replace(
            self,
            **parts.figures(),
            financial_status=self.told_financial_status,
            refunded_minor=self.told_refunded_minor,
        ).settled(cancelled_at=self.cancelled_at)
        return replace(after, updated_at=at, version=self.version + 1)

    def cancelled(self, *, reason: str | None, at: datetime, now: datetime) -> Self:
        """The order, cancelled; if it was already, that is only heard again."""
        changed_at = max(self.changed_at, not_ahead(at, now))
        if self.status == "cancelled":
            return replace(self, changed_at=changed_at)
        gone = replace(
            self, status="cancelled", cancelled_at=at, cancel_reason=reason, changed_at=changed_at
        )
        return replace(gone, updated_at=now, version=self.version + 1)

    def removed(self, *, at: datetime, now: datetime) -> Self:
        """The order, gone from where it came from; if it was already, that is only heard again."""
        changed_at = max(self.changed_at, not_ahead(at, now))
        if self.deleted_at is not None:
            return replace(self, changed_at=changed_at)
        return replace(
            self,
            deleted_at=at,
            changed_at=changed_at,
            updated_at=now,
            version=self.version + 1,
        )

    def settled(self, *, cancelled_at: datetime | None = None) -> Self:
        """The order by what it was told and what its parts come to.

        Payments of the whole total pay an order that the source leaves open; refunds that are known
        are money back, also when the source has not counted them.
        """
        status, refunded = self.financial_status, self.refunded_minor
        if status in ("pending", "unknown") and 0 < self.total_minor <= self.paid_minor:
            status = "paid"
        if self.refunds_minor:
            refunded = max(refunded, self.refunds_minor)
            if status in ("paid", "partially_refunded"):
                whole = refunded >= self.total_minor
                status = "refunded" if whole else "partially_refunded"
        if self.status != "cancelled":
            since = None
        else:
            since = self.cancelled_at or cancelled_at or self.changed_at
        if (status, refunded, since) == (
            self.financial_status,
            self.refunded_minor,
            self.cancelled_at,
        ):
            return self
        return replace(self, financial_status=status, refunded_minor=refunded, cancelled_at=since)

    def state(self) -> OrderState:
        """What other services may know."""
        known = {name: getattr(self, name) for name in _STATE_FIELDS}
        return OrderState(
            order_id=self.id,
            # To the others an order that was deleted is one that never came about.
            status="cancelled" if self.deleted_at else self.status,
            lines=tuple(
                OrderLineState.model_validate(line, from_attributes=True) for line in self.lines
            ),
            **known,
        )


LINE_COLUMNS = tuple(field.name for field in fields(OrderLine))
CONTENT_COLUMNS = tuple(field.name for field in fields(OrderContent))
ORDER_COLUMNS = tuple(field.name for field in fields(OrderRecord) if field.name != "lines")
_STATE_FIELDS = tuple(
    name for name in OrderState.model_fields if name not in {"order_id", "status", "lines"}
)
