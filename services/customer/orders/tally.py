"""What a customer's orders add up to. Pure; two currencies are never added."""

from dataclasses import dataclass, field, replace
from datetime import datetime

from services.customer.orders.errors import OrderFiguresTooLarge
from services.customer.orders.record import OrderRecord
from shared.money import BIGINT_MAX


@dataclass(frozen=True, slots=True)
class Figures:
    """What a customer's orders add up to. Money in minor units of `currency`, if there is any."""

    orders_count: int = 0
    total_spent_minor: int = 0
    currency: str | None = None
    first_order_at: datetime | None = None
    last_order_at: datetime | None = None
    ever_paid: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CurrencyTally:
    """Orders of one currency that count."""

    orders_count: int
    spent_minor: int
    ordered_minor: int
    first_order_at: datetime
    last_order_at: datetime
    ever_paid: bool

    def with_order(self, order: OrderRecord) -> "CurrencyTally":
        """The tally with one order more."""
        return replace(
            self,
            orders_count=self.orders_count + 1,
            spent_minor=self.spent_minor + order.spent_minor,
            ordered_minor=self.ordered_minor + order.total_minor,
            first_order_at=min(self.first_order_at, order.placed_at),
            last_order_at=max(self.last_order_at, order.placed_at),
            ever_paid=self.ever_paid or order.paid,
        )


@dataclass(slots=True)
class Tally:
    """What orders of one customer add up to, by currency."""

    by_currency: dict[str, CurrencyTally] = field(default_factory=dict)

    def add(self, order: OrderRecord) -> None:
        """Count an order, if it counts."""
        if not order.counts:
            return
        known = self.by_currency.get(order.currency)
        self.by_currency[order.currency] = (
            known.with_order(order)
            if known is not None
            else CurrencyTally(
                orders_count=1,
                spent_minor=order.spent_minor,
                ordered_minor=order.total_minor,
                first_order_at=order.placed_at,
                last_order_at=order.placed_at,
                ever_paid=order.paid,
            )
        )

    def figures(self) -> Figures:
        """The customer's figures; money in the currency of their first order.

        Raises OrderFiguresTooLarge when no column could hold a sum.
        """
        if not self.by_currency:
            return Figures()
        tallies = self.by_currency.values()
        if any(tally.ordered_minor > BIGINT_MAX for tally in tallies):
            raise OrderFiguresTooLarge
        currency = min(self.by_currency, key=lambda c: (self.by_currency[c].first_order_at, c))
        return Figures(
            orders_count=sum(tally.orders_count for tally in tallies),
            total_spent_minor=self.by_currency[currency].spent_minor,
            currency=currency,
            first_order_at=min(tally.first_order_at for tally in tallies),
            last_order_at=max(tally.last_order_at for tally in tallies),
            ever_paid=any(tally.ever_paid for tally in tallies),
        )
