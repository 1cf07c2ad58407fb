from itertools import pairwise, product
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.support_ticket.tickets.priority import (
    DEFAULT_POLICY,
    PRIORITIES,
    URGENCIES,
    VALUE_TIERS,
    Priority,
    PriorityDecision,
    PriorityPoints,
    PriorityPolicy,
    PriorityRule,
    PriorityScore,
    Urgency,
    ValueTier,
    decide_priority,
    priority_of,
)
from shared.contracts.customer import CustomerState
from shared.contracts.support_ticket import TicketState, TicketType

TYPES: tuple[TicketType, ...] = get_args(TicketType)
ALL_TICKETS = list(product(TYPES, URGENCIES, VALUE_TIERS))

tickets = st.sampled_from(ALL_TICKETS)
points = st.integers(0, 20)
rules = st.builds(
    PriorityRule,
    name=st.sampled_from(["first", "second", "third"]),
    priority=st.sampled_from(PRIORITIES),
    types=st.lists(st.sampled_from(TYPES), max_size=3).map(tuple),
    urgencies=st.lists(st.sampled_from(URGENCIES), max_size=2).map(tuple),
    value_tiers=st.lists(st.sampled_from(VALUE_TIERS), max_size=2).map(tuple),
)


@st.composite
def rising(draw: st.DrawFn, keys: tuple[Any, ...]) -> dict[Any, int]:
    return dict(
        zip(
            keys,
            sorted(draw(st.lists(points, min_size=len(keys), max_size=len(keys)))),
            strict=True,
        )
    )


@st.composite
def policies(draw: st.DrawFn) -> PriorityPolicy:
    thresholds = sorted(draw(st.lists(st.integers(-5, 60), min_size=3, max_size=3)))
    score = PriorityScore(
        types=draw(st.dictionaries(st.sampled_from(TYPES), points)),
        urgencies=draw(rising(URGENCIES)),
        value_tiers=draw(rising(VALUE_TIERS)),
        normal_from=thresholds[0],
        high_from=thresholds[1],
        urgent_from=thresholds[2],
    )
    return PriorityPolicy(rules=tuple(draw(st.lists(rules, max_size=4))), score=score)


class TestDefaultPolicy:
    @pytest.mark.parametrize(
        ("ticket_type", "urgency", "value_tier", "priority"),
        [
            ("question", "low", "standard", "low"),
            ("question", "normal", "standard", "normal"),
            ("info", "low", "gold", "normal"),
            ("usage_guide", "high", "standard", "normal"),
            ("technical", "high", "standard", "high"),
            ("return", "normal", "gold", "high"),
            ("refund", "normal", "standard", "normal"),
            ("complaint", "low", "standard", "normal"),
            ("complaint", "high", "standard", "high"),
            ("complaint", "high", "gold", "urgent"),
            ("complaint", "low", "vip", "urgent"),
            ("question", "normal", "vip", "high"),
            ("question", "critical", "standard", "urgent"),
        ],
    )
    def test_weighs_type_urgency_and_customer(
        self, ticket_type: TicketType, urgency: Urgency, value_tier: ValueTier, priority: Priority
    ) -> None:
        assert priority_of(ticket_type, urgency, value_tier) == priority

    def test_knows_every_word_of_the_contracts(self) -> None:
        ticket, customer = TicketState.model_fields, CustomerState.model_fields
        assert get_args(ticket["urgency"].annotation) == URGENCIES
        assert get_args(ticket["priority"].annotation) == PRIORITIES
        assert get_args(customer["value_tier"].annotation) == VALUE_TIERS

    def test_more_urgency_or_a_better_customer_never_lowers_the_priority(self) -> None:
        def rank(ticket: tuple[TicketType, Urgency, ValueTier]) -> int:
            return PRIORITIES.index(priority_of(*ticket))

        for ticket_type, urgency, tier in ALL_TICKETS:
            for lower, higher in pairwise(URGENCIES):
                assert rank((ticket_type, lower, tier)) <= rank((ticket_type, higher, tier))
            for lesser, better in pairwise(VALUE_TIERS):
                assert rank((ticket_type, urgency, lesser)) <= rank((ticket_type, urgency, better))


class TestDecision:
    def test_names_the_rule_that_decided(self) -> None:
        decision = decide_priority("question", "critical", "standard")
        assert decision == PriorityDecision(priority="urgent", rule="Critical for the customer")

    def test_shows_the_points_where_no_rule_matched(self) -> None:
        decision = decide_priority("complaint", "high", "gold")
        points = PriorityPoints(type=2, urgency=4, value_tier=2, total=8)
        assert decision == PriorityDecision(priority="urgent", points=points)

    def test_the_first_matching_rule_wins(self) -> None:
        policy = PriorityPolicy(
            rules=(
                PriorityRule(name="refunds can wait", priority="low", types=("refund",)),
                PriorityRule(name="all is urgent", priority="urgent"),
            ),
            score=DEFAULT_POLICY.score,
        )
        assert decide_priority("refund", "critical", "vip", policy).rule == "refunds can wait"
        assert decide_priority("info", "low", "standard", policy).rule == "all is urgent"

    @given(policies(), tickets)
    def test_equals_the_policy_read_out_line_by_line(
        self, policy: PriorityPolicy, ticket: tuple[TicketType, Urgency, ValueTier]
    ) -> None:
        def rule_covers(rule: PriorityRule) -> bool:
            return ticket in set(
                product(
                    rule.types or TYPES,
                    rule.urgencies or URGENCIES,
                    rule.value_tiers or VALUE_TIERS,
                )
            )

        matching = [rule for rule in policy.rules if rule_covers(rule)]
        decision = decide_priority(*ticket, policy)
        if matching:
            assert decision == PriorityDecision(
                priority=matching[0].priority, rule=matching[0].name
            )
            return
        ticket_type, urgency, tier = ticket
        score = policy.score
        total = score.types.get(ticket_type, 0) + score.urgencies[urgency] + score.value_tiers[tier]
        expected: Priority = "low"
        if total >= score.normal_from:
            expected = "normal"
        if total >= score.high_from:
            expected = "high"
        if total >= score.urgent_from:
            expected = "urgent"
        assert decision.priority == expected
        assert decision.points is not None
        assert decision.points.total == total


class TestPolicyAsData:
    @given(policies())
    def test_survives_storage_as_json(self, policy: PriorityPolicy) -> None:
        assert PriorityPolicy.model_validate_json(policy.model_dump_json()) == policy

    @pytest.mark.parametrize(
        "change",
        [
            {"urgencies": {"low": 3, "normal": 2, "high": 4, "critical": 5}},
            {"value_tiers": {"gold": 5}},
            {"high_from": 1},
            {"urgencies": {"someday": 1}},
            {"types": {"refund": -1}},
            {"extra": 1},
        ],
    )
    def test_refuses_points_that_contradict_themselves(self, change: dict[str, object]) -> None:
        score = DEFAULT_POLICY.score.model_dump() | change
        with pytest.raises(ValidationError):
            PriorityScore.model_validate(score)
