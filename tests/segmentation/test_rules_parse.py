"""What is refused, where, and why."""

from typing import Any

import pytest
from pydantic import BaseModel, TypeAdapter

from services.segmentation.rules import RuleInvalid, RuleJson, facts_used, parse_rule


def field(name: str, op: str, *value: Any, **extra: Any) -> dict[str, Any]:
    return {"field": name, "op": op} | ({"value": value[0]} if value else {}) | extra


CITY = field("profile.city", "eq", "Huế")


def orders(**aggregate: Any) -> dict[str, Any]:
    return {"orders": {"measure": "count", "op": "gte", "value": 1} | aggregate}


def faults(rule: object) -> list[tuple[str, str]]:
    with pytest.raises(RuleInvalid) as caught:
        parse_rule(rule)
    return [(error.pointer, error.code) for error in caught.value.errors]


@pytest.mark.parametrize(
    ("rule", "pointer", "code"),
    [
        (None, "/rule", "node_shape"),
        ([], "/rule", "node_shape"),
        ({}, "/rule", "node_shape"),
        ({"all": []}, "/rule/all", "node_shape"),
        ({"all": [CITY], "any": [CITY]}, "/rule/any", "node_shape"),
        (CITY | {"more": 1}, "/rule/more", "node_shape"),
        ({"all": [CITY, {"not": {}}]}, "/rule/all/1/not", "node_shape"),
        ({"field": "profile.city"}, "/rule/op", "node_shape"),
        (field("profile.city", "like", "x"), "/rule/op", "unknown_operator"),
        (
            field("profile.city", "ne", "x", require_known="yes"),
            "/rule/require_known",
            "node_shape",
        ),
        (field("profile.town", "eq", "x"), "/rule/field", "unknown_field"),
        (field("city", "eq", "x"), "/rule/field", "unknown_field"),
        (field("attributes.a-b", "eq", "x"), "/rule/field", "unknown_field"),
        (field("attributes.", "eq", "x"), "/rule/field", "unknown_field"),
        (field("order.status", "eq", "x"), "/rule/field", "field_not_here"),
        (orders(where=CITY), "/rule/orders/where/field", "field_not_here"),
        (orders(where=orders()), "/rule/orders/where", "field_not_here"),
        (
            orders(where={"any": [field("order.status", "eq", 1)]}),
            "/rule/orders/where/any/0/value",
            "value_type",
        ),
        (orders(measure="median"), "/rule/orders/measure", "unknown_measure"),
        (orders(op="contains", value="x"), "/rule/orders/op", "operator_not_allowed"),
        (orders(op="exists"), "/rule/orders/op", "operator_not_allowed"),
        (orders(window={"last": "30 days"}), "/rule/orders/window", "duration"),
        (orders(window={"last": "P1DT2H"}), "/rule/orders/window", "duration"),
        (
            orders(window={"between": ["2026-02-01", "2026-01-01"]}),
            "/rule/orders/window",
            "value_range",
        ),
        (orders(window={}), "/rule/orders/window", "node_shape"),
        (orders(measure="sum_total", value=5), "/rule/orders/value", "value_type"),
        (orders(measure="avg_total", op="in", value=[]), "/rule/orders/op", "operator_not_allowed"),
        (field("profile.stage", "contains", "x"), "/rule/op", "operator_not_allowed"),
        (field("profile.city", "eq"), "/rule/value", "value_missing"),
        (field("profile.city", "exists", "x"), "/rule/value", "value_not_allowed"),
        (
            field("profile.city", "eq", "x", require_known=True),
            "/rule/require_known",
            "require_known_not_allowed",
        ),
        (field("profile.city", "eq", 5), "/rule/value", "value_type"),
        (field("profile.city", "eq", ""), "/rule/value", "value_type"),
        (field("profile.city", "eq", "a\u0000b"), "/rule/value", "value_type"),
        (field("profile.city", "eq", "\ud800"), "/rule/value", "value_type"),
        (field("profile.city", "contains", "  "), "/rule/value", "value_type"),
        (field("profile.city", "in", "x"), "/rule/value", "value_type"),
        (field("profile.city", "in", []), "/rule/value", "value_type"),
        (field("profile.city", "in", ["x", 5]), "/rule/value/1", "value_type"),
        (field("profile.city", "in", ["x"] * 1001), "/rule/value", "value_range"),
        (field("profile.city", "eq", "x" * 501), "/rule/value", "value_range"),
        (field("profile.orders_count", "gt", True), "/rule/value", "value_type"),
        (field("profile.orders_count", "gt", "5"), "/rule/value", "value_type"),
        (field("profile.orders_count", "gt", 1e300), "/rule/value", "value_range"),
        (field("profile.orders_count", "gt", float("nan")), "/rule/value", "value_range"),
        (field("profile.orders_count", "gt", 10**5000), "/rule/value", "value_range"),
        (field("profile.orders_count", "gt", 1e-10), "/rule/value", "value_range"),
        (field("profile.orders_count", "between", [5, 1]), "/rule/value", "value_range"),
        (field("profile.orders_count", "between", [5]), "/rule/value", "value_type"),
        (field("profile.birth_date", "eq", "2026-02-30"), "/rule/value", "value_range"),
        (field("profile.birth_date", "eq", "0001-01-01"), "/rule/value", "value_range"),
        (field("profile.birth_date", "within_last", "PT5H"), "/rule/value", "duration"),
        (field("profile.birth_date", "anniversary_within", "P1M"), "/rule/value", "duration"),
        (
            field("profile.last_order_at", "before", "2026-02-01T10:00:00"),
            "/rule/value",
            "value_type",
        ),
        (field("profile.last_order_at", "before", "soon"), "/rule/value", "value_type"),
        (
            field("profile.total_spent", "gt", {"amount": 5, "currency": "VND"}),
            "/rule/value/amount",
            "value_type",
        ),
        (
            field("profile.total_spent", "gt", {"amount": "1.5", "currency": "VND"}),
            "/rule/value/amount",
            "money_too_many_decimals",
        ),
        (
            field("profile.total_spent", "gt", {"amount": "1", "currency": "XYZ"}),
            "/rule/value/currency",
            "money_unknown_currency",
        ),
        (
            field(
                "profile.total_spent",
                "between",
                [{"amount": "1", "currency": "VND"}, {"amount": "2", "currency": "USD"}],
            ),
            "/rule/value",
            "currency",
        ),
    ],
)
def test_a_fault_is_pointed_at(rule: object, pointer: str, code: str):
    assert faults(rule) == [(pointer, code)]


def test_every_fault_is_told_at_once():
    rule = {"all": [field("profile.x", "eq", 1), {"not": field("profile.city", "gt", 1)}, CITY]}

    assert faults(rule) == [
        ("/rule/all/0/field", "unknown_field"),
        ("/rule/all/1/not/op", "operator_not_allowed"),
    ]


def nested(levels: int) -> dict[str, Any]:
    rule = CITY
    for _ in range(levels - 1):
        rule = {"not": rule}
    return rule


def test_eight_levels_are_read_and_nine_refused():
    parse_rule(nested(8))
    assert faults(nested(9)) == [("/rule" + "/not" * 8, "rule_too_deep")]


def test_endless_nesting_is_refused_before_it_is_read():
    [(_, code)] = faults(nested(50_000))

    assert code == "rule_too_deep"


def test_two_hundred_nodes_are_read_and_more_refused():
    parse_rule({"all": [CITY] * 199})

    assert ("/rule/any/1/all/99", "rule_too_large") in faults(
        {"any": [{"all": [CITY] * 98}, {"all": [CITY] * 100}]}
    )


def test_a_flood_of_values_is_refused():
    full = field("profile.city", "in", ["x"] * 1000)

    assert faults({"all": [full] * 30}) == [("/rule", "rule_too_large")]


def test_a_rule_says_which_facts_it_uses():
    rule = parse_rule(
        {
            "any": [
                CITY,
                {"not": field("attributes.size", "exists")},
                orders(where=field("order.status", "eq", "paid")),
                field("consent.email.marketing", "eq", "granted"),
            ]
        }
    )

    used = {"profile.city", "attributes.size", "orders", "consent.email.marketing"}
    assert facts_used(rule) == used


class Body(BaseModel):
    rule: RuleJson


def test_a_request_body_is_refused_with_the_same_faults():
    with pytest.raises(RuleInvalid) as caught:
        Body.model_validate({"rule": field("profile.town", "eq", "x")})

    assert [error.code for error in caught.value.errors] == ["unknown_field"]


def test_a_rule_in_a_body_keeps_its_json():
    source = {"all": [CITY, {"not": orders(), "require_known": True}]}

    body = Body.model_validate({"rule": source})

    dumped = body.model_dump(mode="json", by_alias=True, exclude_unset=True)
    assert dumped == {"rule": source}
    assert Body.model_validate(body.model_dump(by_alias=True)) == body


def test_the_form_is_documented():
    schema = TypeAdapter(RuleJson).json_schema()

    assert {"AllNode", "AnyNode", "NotNode", "FieldNode", "OrdersNode"} <= schema["$defs"].keys()
