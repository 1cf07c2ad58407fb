"""Which counts of different parts must agree, and whether they do. Pure functions."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from gateway.reports.schemas import Equation

Counts = Mapping[str, Mapping[str, int] | None]
_Side = Callable[[Counts], int | None]


@dataclass(frozen=True, slots=True)
class _Law:
    name: str
    explanation: str
    left: _Side
    right: _Side


def _sum(part: str, *names: str) -> _Side:
    """The sum of some of a part's counts; None when one is not known."""

    def side(counts: Counts) -> int | None:
        known = counts.get(part) or {}
        if any(name not in known for name in names):
            return None
        return sum(known[name] for name in names)

    return side


_LAWS: Final = (
    _Law(
        "deliveries_accounted_for",
        "deliveries received = those processed, ignored, failed and waiting",
        _sum("gateway", "deliveries"),
        _sum(
            "gateway",
            "deliveries_processed",
            "deliveries_ignored",
            "deliveries_failed",
            "deliveries_pending",
        ),
    ),
    _Law(
        "platform_orders_kept",
        "orders that platforms told of = orders of platforms that the customer service keeps",
        _sum("gateway", "orders_told"),
        _sum("customer", "orders_from_platforms"),
    ),
    _Law(
        "customers_known_for_grouping",
        "customers = customers that segmentation knows",
        _sum("customer", "customers"),
        _sum("segmentation", "profiles"),
    ),
    _Law(
        "orders_known_for_grouping",
        "orders = orders that segmentation knows",
        _sum("customer", "orders"),
        _sum("segmentation", "orders_known"),
    ),
    _Law(
        "messages_accounted_for",
        "messages planned = those sent, suppressed, failed, unknown, cancelled and under way",
        _sum("messaging", "messages_planned"),
        _sum(
            "messaging",
            "messages_sent",
            "messages_suppressed",
            "messages_failed",
            "messages_unknown",
            "messages_cancelled",
            "messages_in_flight",
        ),
    ),
    _Law(
        "inbound_messages_answered_for",
        "messages that came in = messages that support has in its conversations",
        _sum("messaging", "inbound_messages"),
        _sum("support_ticket", "inbound_messages"),
    ),
    _Law(
        "replies_handed_over",
        "replies of agents = messages planned for replies",
        _sum("support_ticket", "replies"),
        _sum("messaging", "messages_from_ticket_reply"),
    ),
    _Law(
        "surveys_handed_over",
        "survey invitations = messages planned for surveys",
        _sum("support_ticket", "surveys_invited"),
        _sum("messaging", "messages_from_survey"),
    ),
    _Law(
        "tickets_accounted_for",
        "tickets = tickets by status",
        _sum("support_ticket", "tickets"),
        _sum(
            "support_ticket",
            "tickets_new",
            "tickets_open",
            "tickets_pending_customer",
            "tickets_on_hold",
            "tickets_resolved",
            "tickets_closed",
        ),
    ),
)


def reconcile(counts: Counts) -> list[Equation]:
    """Every equation, with its sides as counted."""
    return [_equation(law, counts) for law in _LAWS]


def all_hold(equations: list[Equation]) -> bool | None:
    """Whether all hold; False when one does not, else None when one cannot be judged."""
    if any(equation.ok is False for equation in equations):
        return False
    return None if any(equation.ok is None for equation in equations) else True


def _equation(law: _Law, counts: Counts) -> Equation:
    left, right = law.left(counts), law.right(counts)
    ok = None if left is None or right is None else left == right
    return Equation(name=law.name, explanation=law.explanation, left=left, right=right, ok=ok)
