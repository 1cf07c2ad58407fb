"""What orders come to, as clients read it."""

from datetime import datetime
from fractions import Fraction
from typing import Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field
from sqlalchemy import Row

from services.customer.orders.errors import OrderFiguresTooLarge
from shared.db.prepared import Rows
from shared.money import BIGINT_MAX, Money, MoneyRead


class OrderFiguresOfCurrency(BaseModel):
    """What a person's orders of one currency come to; two currencies are never added.

    Orders that are neither cancelled, voided nor deleted count; those that are paid are spent
    money, less what went back.
    """

    currency: str
    orders_count: int
    paid_orders_count: int
    total_spent: MoneyRead
    average_order: MoneyRead | None = Field(
        description="What a paid order comes to, rounded half to even"
    )
    refunded: MoneyRead
    returns_count: int
    first_order_at: datetime
    last_order_at: datetime
    days_since_last_order: int = Field(description="Whole days of 24 hours")


class OrderFigures(BaseModel):
    """What all orders of a person come to, by currency, over all records of the person."""

    customer_id: UUID = Field(description="The record that stands for the person")
    object: Literal["order_figures"] = "order_figures"
    data: list[OrderFiguresOfCurrency] = Field(description="The currency of the first order first")

    @classmethod
    def of(cls, root_id: UUID, rows: Rows, *, now: datetime) -> Self:
        """The figures in rows that have them. Raises OrderFiguresTooLarge."""
        return cls(customer_id=root_id, data=[_figures(row, now) for row in rows])


def _figures(row: Row[*tuple[Any, ...]], now: datetime) -> OrderFiguresOfCurrency:
    spent, refunded, paid = (
        int(row.total_spent_minor),
        int(row.refunded_minor),
        row.paid_orders_count,
    )
    if max(spent, refunded) > BIGINT_MAX:
        raise OrderFiguresTooLarge
    return OrderFiguresOfCurrency(
        currency=row.currency,
        orders_count=row.orders_count,
        paid_orders_count=paid,
        total_spent=MoneyRead.of(Money(spent, row.currency)),
        average_order=(
            MoneyRead.of(Money(round(Fraction(spent, paid)), row.currency)) if paid else None
        ),
        refunded=MoneyRead.of(Money(refunded, row.currency)),
        returns_count=int(row.returns_count),
        first_order_at=row.first_order_at,
        last_order_at=row.last_order_at,
        days_since_last_order=max((now - row.last_order_at).days, 0),
    )
