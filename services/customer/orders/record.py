"""An order as this service holds it, and as it tells others of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from shared.contracts.customer import OrderLineState, OrderState

OrderStatus = Literal["open", "completed", "cancelled"]
FinancialStatus = Literal["pending", "paid", "partially_refunded", "refunded", "voided", "unknown"]

PAID_STATUSES = ("paid", "partially_refunded", "refunded")


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

    @property
    def key(self) -> tuple[str, str]:
        """What makes two deliveries speak of one order."""
        return (self.scope, self.external_id)


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderRecord(OrderContent):
    """One row of `customer_order`, without its tenant, and its lines in order."""

    id: UUID
    customer_id: UUID
    created_at: datetime
    updated_at: datetime
    version: int
    lines: tuple[OrderLine, ...] = ()

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]], lines: Sequence[OrderLine] = ()) -> Self:
        """The order in a row that has its columns."""
        return cls(**{name: getattr(row, name) for name in ORDER_COLUMNS}, lines=tuple(lines))

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: getattr(self, name) for name in ORDER_COLUMNS}

    @property
    def paid(self) -> bool:
        """Whether it was ever paid for."""
        return self.financial_status in PAID_STATUSES and self.status != "cancelled"

    def updated(
        self,
        content: Mapping[str, Any],
        *,
        customer_id: UUID,
        lines: tuple[OrderLine, ...],
        at: datetime,
    ) -> Self:
        """The next version with this content; the very same if it is older or no different."""
        if content["changed_at"] < self.changed_at:
            return self
        after = replace(self, **content, customer_id=customer_id, lines=lines)
        if replace(after, changed_at=self.changed_at) == self:
            return self
        return replace(after, updated_at=at, version=self.version + 1)

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
