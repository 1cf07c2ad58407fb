"""What a voucher is worth on an order. Pure; money in minor units of one currency."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

VoucherKind = Literal["amount", "percent", "gift"]
Refusal = Literal[
    "not_active",
    "not_yet_valid",
    "expired",
    "order_too_small",
    "gift_above_value_cap",
    "other_currency",
    "used_up",
    "sold_out",
    "customer_limit_reached",
    "customer_needed",
    "not_this_customers",
]
CappedBy = Literal["max_discount", "value_cap", "order"]

LAWFUL_PERCENT: Final = 50
"""Decree 81/2018/ND-CP, Art. 6: what is given is worth half of what is sold, at most."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """What is promised; without `max_value_percent` there is no cap but the order itself."""

    id: UUID
    kind: VoucherKind
    currency: str
    percent: int | None
    value_minor: int | None
    max_discount_minor: int | None
    min_order_minor: int
    max_value_percent: int | None
    uses_per_code: int | None
    limit_per_customer: int | None
    limit_total: int | None
    redeemed: int
    active: bool
    valid_from: datetime
    valid_until: datetime | None

    def refusal(self, order_minor: int, currency: str, now: datetime) -> Refusal | None:
        """Why it is not for this order now; None when it is."""
        reasons: tuple[tuple[bool, Refusal], ...] = (
            (not self.active, "not_active"),
            (now < self.valid_from, "not_yet_valid"),
            (self.valid_until is not None and self.valid_until <= now, "expired"),
            (currency != self.currency, "other_currency"),
            (order_minor < self.min_order_minor, "order_too_small"),
            (self._is_gift_above(self._cap(order_minor)), "gift_above_value_cap"),
            (self.limit_total is not None and self.redeemed >= self.limit_total, "sold_out"),
        )
        return next((reason for holds, reason in reasons if holds), None)

    def discount(self, order_minor: int) -> tuple[int, CappedBy | None]:
        """What it takes off an order, rounded down, and what kept it from being more."""
        if self.kind == "gift":
            return 0, None
        if self.percent is not None:
            wanted = order_minor * self.percent // 100
        else:
            wanted = self.value_minor or 0
        found: CappedBy | None = None
        caps: list[tuple[int, CappedBy]] = [
            (order_minor, "order"),
            (self._cap(order_minor), "value_cap"),
        ]
        if self.max_discount_minor is not None:
            caps.append((self.max_discount_minor, "max_discount"))
        for cap, name in caps:
            if cap < wanted:
                wanted, found = cap, name
        return wanted, found

    def _cap(self, order_minor: int) -> int:
        return order_minor * (self.max_value_percent or 100) // 100

    def _is_gift_above(self, cap: int) -> bool:
        return self.kind == "gift" and (self.value_minor or 0) > cap
