"""What a customer's orders add up to. Pure; two currencies are never added.

Figures are carried on from one change of an order to the next, so that it costs the same whether
somebody has ordered ten times or ten thousand. What a change leaves open, the orders are asked.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, Self

from services.customer.customers.record import CustomerRecord
from services.customer.orders.errors import OrderFiguresTooLarge
from services.customer.orders.record import OrderRecord
from services.customer.tenants.shops import Shop
from shared.money import BIGINT_MAX

_MOST_ORDERS: Final = 2**20
_LARGE: Final = BIGINT_MAX // _MOST_ORDERS
"""Orders below it fit together, however many somebody has; above it somebody adds them up."""

LeftOpen = Literal["nothing", "ends", "everything"]


@dataclass(frozen=True, slots=True)
class Figures:
    """What a customer's orders add up to. Money in minor units of `currency`, if there is any.

    That is the currency of their first order.
    """

    orders_count: int = 0
    total_spent_minor: int = 0
    currency: str | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    ever_paid: bool = False

    @classmethod
    def of(cls, record: CustomerRecord) -> Self:
        """The figures that a customer has."""
        if not record.orders_count:
            return cls()
        return cls(
            record.orders_count,
            record.total_spent_minor,
            record.currency,
            record.first_order_at,
            record.last_order_at,
        )

    def columns(self, shop: Shop) -> dict[str, Any]:
        """What they say of the customer. Raises OrderFiguresTooLarge when no column can hold it."""
        if self.total_spent_minor > BIGINT_MAX:
            raise OrderFiguresTooLarge
        currency = self.currency or shop.currency
        return {
            "orders_count": self.orders_count,
            "total_spent_minor": self.total_spent_minor,
            "currency": currency,
            "first_order_at": self.first_order_at,
            "last_order_at": self.last_order_at,
            "value_tier": shop.values.tier(self.total_spent_minor, currency),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Ends:
    """The first and the last of a person's orders that count."""

    first_order_at: datetime
    currency: str
    last_order_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyTally:
    """Orders of one currency that count."""

    currency: str
    orders_count: int
    spent_minor: int
    ordered_minor: int
    first_order_at: datetime
    last_order_at: datetime
    ever_paid: bool


def added_up(tallies: Iterable[CurrencyTally]) -> Figures:
    """The figures of somebody with these orders.

    Raises OrderFiguresTooLarge when no column could hold a sum.
    """
    listed = sorted(tallies, key=lambda tally: (tally.first_order_at, tally.currency))
    if not listed:
        return Figures()
    if any(tally.ordered_minor > BIGINT_MAX for tally in listed):
        raise OrderFiguresTooLarge
    first = listed[0]
    return Figures(
        orders_count=sum(tally.orders_count for tally in listed),
        total_spent_minor=first.spent_minor,
        currency=first.currency,
        first_order_at=first.first_order_at,
        last_order_at=max(tally.last_order_at for tally in listed),
        ever_paid=any(tally.ever_paid for tally in listed),
    )


class Reckoning:
    """Carries the figures of one person on, change by change.

    What is `left_open` when all are taken is asked of the orders: their `ends` when the first or
    the last may be another one now, `everything` when the currency may be.
    """

    def __init__(self, figures: Figures) -> None:
        self.figures = figures
        self.left_open: LeftOpen = "nothing"

    def take(self, before: OrderRecord | None, after: OrderRecord | None) -> None:
        """An order of theirs as it was and as it is; None where it was or is nobody's of theirs."""
        was = before if before is not None and before.counts else None
        now = after if after is not None and after.counts else None
        if was is not None and now is not None and _place(was) == _place(now):
            self._spend(now.currency, now.spent_minor - was.spent_minor)
        else:
            if was is not None:
                self._remove(was)
            if now is not None:
                self._add(now)
        if now is not None:
            self.figures = replace(self.figures, ever_paid=self.figures.ever_paid or now.paid)
            if now.total_minor > _LARGE:
                self.left_open = "everything"

    def settle(self, ends: Ends | None) -> None:
        """The ends that were left open; None when there is no order any more."""
        if ends is None:
            self.figures = Figures(ever_paid=self.figures.ever_paid)
        elif ends.currency != self.figures.currency:
            self.left_open = "everything"
        else:
            first, last = ends.first_order_at, ends.last_order_at
            self.figures = replace(self.figures, first_order_at=first, last_order_at=last)

    def _add(self, order: OrderRecord) -> None:
        known, placed_at = self.figures, order.placed_at
        first, last = known.first_order_at, known.last_order_at
        if not known.orders_count or first is None or last is None:
            spent, currency = order.spent_minor, order.currency
            self.figures = Figures(1, spent, currency, placed_at, placed_at, known.ever_paid)
            return
        if order.currency != known.currency and placed_at <= first:
            self.left_open = "everything"
        self.figures = replace(
            known,
            orders_count=known.orders_count + 1,
            first_order_at=min(first, placed_at),
            last_order_at=max(last, placed_at),
        )
        self._spend(order.currency, order.spent_minor)

    def _remove(self, order: OrderRecord) -> None:
        known = self.figures
        is_at_an_end = order.placed_at in (known.first_order_at, known.last_order_at)
        if is_at_an_end and self.left_open == "nothing":
            self.left_open = "ends"
        self.figures = replace(known, orders_count=known.orders_count - 1)
        self._spend(order.currency, -order.spent_minor)

    def _spend(self, currency: str, minor: int) -> None:
        if currency == self.figures.currency:
            spent = self.figures.total_spent_minor + minor
            self.figures = replace(self.figures, total_spent_minor=spent)


def _place(order: OrderRecord) -> tuple[datetime, str]:
    return order.placed_at, order.currency
