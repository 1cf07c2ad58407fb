"""The reasons behind an answer."""

from datetime import date, timedelta
from fractions import Fraction

import pytest

from services.segmentation.facts.customer_facts import OrderFact
from services.segmentation.rules import explain, explanation_json, parse_rule
from services.segmentation.rules.rendering import shown
from shared.ids import new_id
from tests.segmentation.facts import AS_OF, SAIGON, customer


def test_every_node_tells_its_truth_and_every_leaf_its_value():
    orders = [
        OrderFact(
            order_id=new_id(),
            placed_at=AS_OF - timedelta(days=days),
            status="paid",
            total_minor=total,
            currency="VND",
        )
        for days, total in ((1, 100), (2, 101), (90, 999))
    ]
    average = {
        "orders": {
            "measure": "avg_total",
            "window": {"last": "P30D"},
            "op": "gte",
            "value": {"amount": "100", "currency": "VND"},
        }
    }
    city = {"field": "profile.city", "op": "eq", "value": "Huế"}
    rule = parse_rule({"all": [average, {"not": city}]})

    root = explain(rule, customer(orders=orders), as_of=AS_OF, timezone=SAIGON)

    assert (root.kind, root.truth) == ("all", True)
    by_average, by_city = root.children
    assert (by_average.pointer, by_average.truth) == ("/rule/all/0", True)
    assert (by_average.asks, by_average.actual) == ("avg_total", Fraction(201, 2))
    assert by_average.evidence == (orders[0].order_id, orders[1].order_id)
    assert (by_city.kind, by_city.truth) == ("not", True)
    [unknown] = by_city.children
    assert (unknown.asks, unknown.actual, unknown.truth) == ("profile.city", None, None)
    assert unknown.expected == "Huế"


def test_an_explanation_is_shown_as_json():
    rule = parse_rule({"field": "profile.last_order_at", "op": "within_last", "value": "P30D"})

    reasons = explain(rule, customer(last_order_at=AS_OF), as_of=AS_OF, timezone=SAIGON)

    assert explanation_json(reasons, sees_personal=True, marked=()) == {
        "pointer": "/rule",
        "kind": "field",
        "truth": True,
        "asks": "profile.last_order_at",
        "op": "within_last",
        "expected": "P30D",
        "actual": "2026-11-21T03:30:00+00:00",
        "evidence": [],
        "children": [],
    }


@pytest.mark.parametrize(
    ("value", "currency", "expected"),
    [
        (None, "VND", None),
        (1250000, "VND", {"amount": "1250000", "currency": "VND"}),
        (Fraction(1001, 2), "USD", {"amount": "5.00", "currency": "USD"}),
        (Fraction(10, 3), None, 3.333333),
        (True, None, True),
        (date(1990, 1, 2), None, "1990-01-02"),
        (("vip", "new"), None, ["vip", "new"]),
    ],
)
def test_a_value_is_shown(value: object, currency: str | None, expected: object):
    assert shown(value, currency) == expected
