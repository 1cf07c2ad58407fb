"""How urgent a ticket is for the shop: from what is asked, how pressing it is, and by whom.

A shop's own rules are tried in order and the first that matches decides. Where none does, points
are added up. Both are data that a tenant may replace, and every decision can say why it was taken.
"""

from itertools import pairwise
from typing import Annotated, Final, Literal, Self, get_args

from pydantic import ConfigDict, Field, model_validator

from shared.bodies import Body
from shared.contracts.support_ticket import TicketType
from shared.text import Name

Urgency = Literal["low", "normal", "high", "critical"]
ValueTier = Literal["standard", "silver", "gold", "vip"]
Priority = Literal["low", "normal", "high", "urgent"]

# Each from least to most.
URGENCIES: Final[tuple[Urgency, ...]] = get_args(Urgency)
VALUE_TIERS: Final[tuple[ValueTier, ...]] = get_args(ValueTier)
PRIORITIES: Final[tuple[Priority, ...]] = get_args(Priority)

Points = Annotated[int, Field(ge=0, le=1_000)]
# The sum of three, and a little more: a threshold that nothing reaches is one, too.
Threshold = Annotated[int, Field(ge=-10_000, le=10_000)]


class _Frozen(Body):
    model_config = ConfigDict(frozen=True)


class PriorityRule(_Frozen):
    """Tickets that match every condition get `priority`; an empty condition matches any ticket."""

    name: Name
    priority: Priority
    types: Annotated[tuple[TicketType, ...], Field(max_length=20)] = ()
    urgencies: Annotated[tuple[Urgency, ...], Field(max_length=20)] = ()
    value_tiers: Annotated[tuple[ValueTier, ...], Field(max_length=20)] = ()

    def matches(self, ticket_type: TicketType, urgency: Urgency, value_tier: ValueTier) -> bool:
        """Tell whether every condition of the rule holds for the ticket."""
        return (
            (not self.types or ticket_type in self.types)
            and (not self.urgencies or urgency in self.urgencies)
            and (not self.value_tiers or value_tier in self.value_tiers)
        )


class PriorityScore(_Frozen):
    """Points for each property of a ticket, and the sums from which a priority is reached.

    What has no points listed counts zero. More urgency and more customer value never count less.
    """

    types: dict[TicketType, Points]
    urgencies: dict[Urgency, Points]
    value_tiers: dict[ValueTier, Points]
    normal_from: Threshold
    high_from: Threshold
    urgent_from: Threshold

    @model_validator(mode="after")
    def _rises(self) -> Self:
        _require_rising([self.urgencies.get(step, 0) for step in URGENCIES], "urgencies")
        _require_rising([self.value_tiers.get(step, 0) for step in VALUE_TIERS], "value_tiers")
        _require_rising([self.normal_from, self.high_from, self.urgent_from], "thresholds")
        return self

    def priority_from(self, points: int) -> Priority:
        """Return the highest priority whose threshold `points` reach."""
        thresholds = (self.normal_from, self.high_from, self.urgent_from)
        return PRIORITIES[sum(points >= threshold for threshold in thresholds)]


def _require_rising(steps: list[int], name: str) -> None:
    if any(later < earlier for earlier, later in pairwise(steps)):
        raise ValueError(f"{name} must not fall from one step to the next")


class PriorityPolicy(_Frozen):
    """A tenant's rules, tried in order, and the score that decides where none matches."""

    rules: Annotated[tuple[PriorityRule, ...], Field(max_length=200)] = ()
    score: PriorityScore


DEFAULT_POLICY: Final = PriorityPolicy(
    rules=(
        PriorityRule(name="Critical for the customer", priority="urgent", urgencies=("critical",)),
        PriorityRule(
            name="Complaint of a best customer",
            priority="urgent",
            types=("complaint",),
            value_tiers=("vip",),
        ),
    ),
    score=PriorityScore(
        types={"technical": 1, "return": 1, "refund": 2, "complaint": 2},
        urgencies={"normal": 2, "high": 4, "critical": 7},
        value_tiers={"silver": 1, "gold": 2, "vip": 3},
        normal_from=2,
        high_from=5,
        urgent_from=8,
    ),
)


class PriorityPoints(_Frozen):
    """What each property of the ticket added to its score."""

    type: int
    urgency: int
    value_tier: int
    total: int


class PriorityDecision(_Frozen):
    """A priority and its reason: the rule that matched, or else the points that were counted."""

    priority: Priority
    rule: str | None = None
    points: PriorityPoints | None = None


def priority_of(
    ticket_type: TicketType,
    urgency: Urgency,
    value_tier: ValueTier,
    policy: PriorityPolicy = DEFAULT_POLICY,
) -> Priority:
    """Return the priority of a ticket under `policy`."""
    return decide_priority(ticket_type, urgency, value_tier, policy).priority


def decide_priority(
    ticket_type: TicketType,
    urgency: Urgency,
    value_tier: ValueTier,
    policy: PriorityPolicy = DEFAULT_POLICY,
) -> PriorityDecision:
    """Return the priority of a ticket under `policy` and why it is that."""
    for rule in policy.rules:
        if rule.matches(ticket_type, urgency, value_tier):
            return PriorityDecision(priority=rule.priority, rule=rule.name)
    points = _points(policy.score, ticket_type, urgency, value_tier)
    return PriorityDecision(priority=policy.score.priority_from(points.total), points=points)


def _points(
    score: PriorityScore, ticket_type: TicketType, urgency: Urgency, value_tier: ValueTier
) -> PriorityPoints:
    of_type = score.types.get(ticket_type, 0)
    of_urgency = score.urgencies.get(urgency, 0)
    of_tier = score.value_tiers.get(value_tier, 0)
    return PriorityPoints(
        type=of_type, urgency=of_urgency, value_tier=of_tier, total=of_type + of_urgency + of_tier
    )
