"""The reasons behind an answer."""

from datetime import timedelta
from fractions import Fraction

from services.segmentation.facts.customer_facts import OrderFact
from services.segmentation.rules import explain, parse_rule
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
