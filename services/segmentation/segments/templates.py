"""Segments that most shops want, as rules with figures that each shop decides.

No figure is law: how long a customer is "new" is the shop's own business. Sources of the groups:
new, loyal, potential and dormant customers, and those who were unhappy, as shops name them.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field

from shared.money import Money, currency_exponent

RuleSource = dict[str, Any]


class Parameters(BaseModel, ABC):
    """What a shop decides about a template; the defaults are a beginning."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    relation: Literal["customer", "anybody"] = Field(
        default="customer",
        description="Whom: customer leaves out suppliers, partners and others; or anybody",
    )

    def rule(self, currency: str) -> RuleSource:
        """The rule with these figures; amounts are in `currency`."""
        conditions = self.conditions(currency)
        if self.relation == "customer":
            # A supplier who buys once is no new customer to be welcomed.
            conditions = [*conditions, _field("profile.relation", "eq", "customer")]
        return conditions[0] if len(conditions) == 1 else {"all": conditions}

    @abstractmethod
    def conditions(self, currency: str) -> list[RuleSource]:
        """What has to hold besides, all of it."""


class NewCustomers(Parameters):
    """First order within the last `days` days."""

    days: int = Field(default=30, ge=1, le=3650, description="How long a customer is new")

    def conditions(self, currency: str) -> list[RuleSource]:  # noqa: ARG002
        """Orders that were cancelled or voided do not count."""
        return [_field("profile.first_order_at", "within_last", f"P{self.days}D")]


class Unhappy(Parameters):
    """Last satisfaction score at most `score` of 5."""

    score: int = Field(default=2, ge=1, le=4, description="The best score that is still unhappy")

    def conditions(self, currency: str) -> list[RuleSource]:  # noqa: ARG002
        """A better score given later takes the customer out again."""
        return [_field("profile.last_csat", "lte", self.score)]


class Loyal(Parameters):
    """At least `orders` orders, or `amount` spent, within `days` days."""

    orders: int = Field(default=3, ge=1, le=1000, description="Orders that make a customer loyal")
    amount: int = Field(
        default=5_000_000,
        ge=1,
        le=10**12,
        description="Or what they have spent, in whole units of the shop's currency",
    )
    days: int = Field(default=365, ge=1, le=3650, description="Within how many days")

    def conditions(self, currency: str) -> list[RuleSource]:
        """Only paid orders count, less what went back."""
        paid = _field("order.financial_status", "in", ["paid", "partially_refunded"])
        counted = {"window": {"last": f"P{self.days}D"}, "where": paid, "op": "gte"}
        minor = self.amount * 10 ** currency_exponent(currency)
        amount = {"amount": Money(minor, currency).decimal_string(), "currency": currency}
        often = {"orders": {"measure": "count", "value": self.orders, **counted}}
        much = {"orders": {"measure": "sum_net", "value": amount, **counted}}
        return [{"any": [often, much]}]


class Potential(Parameters):
    """Who may become a customer, or a regular one."""

    definition: Literal["prospect", "trying", "both"] = Field(
        default="both",
        description="prospect: has never bought; trying: has bought once and not again",
    )
    days: int = Field(default=30, ge=1, le=3650, description="Days without a second order")

    def conditions(self, currency: str) -> list[RuleSource]:  # noqa: ARG002
        """The word means a prospect to one shop and a first-time buyer to another."""
        prospect = _field("profile.orders_count", "eq", 0)
        trying = {
            "all": [
                _field("profile.orders_count", "eq", 1),
                _field("profile.last_order_at", "more_than_ago", f"P{self.days}D"),
            ]
        }
        if self.definition == "prospect":
            return [prospect]
        return [trying] if self.definition == "trying" else [{"any": [prospect, trying]}]


class Dormant(Parameters):
    """Has bought before, and neither bought nor written within `days` days."""

    days: int = Field(default=90, ge=1, le=3650, description="Days of silence")

    def conditions(self, currency: str) -> list[RuleSource]:  # noqa: ARG002
        """Who has never written is silent too."""
        age = f"P{self.days}D"
        wrote = {"not": _field("profile.last_ticket_at", "within_last", age)}
        return [_field("profile.last_order_at", "more_than_ago", age), wrote]


@dataclass(frozen=True, slots=True)
class Template:
    """A rule that waits for a shop's figures."""

    key: str
    name: Mapping[str, str]
    description: Mapping[str, str]
    parameters: type[Parameters]


TEMPLATES: Final[Mapping[str, Template]] = {
    template.key: template
    for template in (
        Template(
            "new_customers",
            {"vi": "Khách mới", "en": "New customers"},
            {"vi": "Mua lần đầu gần đây", "en": "Bought for the first time recently"},
            NewCustomers,
        ),
        Template(
            "unhappy",
            {"vi": "Khách chưa hài lòng", "en": "Unhappy"},
            {"vi": "Điểm hài lòng gần nhất thấp", "en": "The last satisfaction score was low"},
            Unhappy,
        ),
        Template(
            "loyal",
            {"vi": "Khách thân thiết", "en": "Loyal"},
            {"vi": "Mua nhiều lần hoặc chi nhiều", "en": "Buys often, or spends much"},
            Loyal,
        ),
        Template(
            "potential",
            {"vi": "Khách tiềm năng", "en": "Potential"},
            {
                "vi": "Chưa mua, hoặc mới mua một lần rồi thôi",
                "en": "Has not bought yet, or once and not again",
            },
            Potential,
        ),
        Template(
            "dormant",
            {"vi": "Khách ngủ đông", "en": "Dormant"},
            {"vi": "Lâu rồi không mua, không liên hệ", "en": "Long neither bought nor written"},
            Dormant,
        ),
    )
}


def _field(name: str, op: str, value: object) -> RuleSource:
    return {"field": name, "op": op, "value": value}
