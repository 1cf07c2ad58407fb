"""An explanation as JSON, for people to read."""

from collections.abc import Container
from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import JsonValue

from services.segmentation.rules.catalog import find_field
from services.segmentation.rules.evaluate import Explanation
from shared.money import Money, MoneyRead


def explanation_json(
    explanation: Explanation, *, sees_personal: bool, marked: Container[str]
) -> dict[str, Any]:
    """The explanation and all below it; `truth` is null and `actual` is null when unknown.

    So is `actual` of a personal field, or one that the shop has `marked`, unless the reader
    `sees_personal` data.
    Money is an amount with its currency, an average rounded to its smallest unit.
    """
    field = find_field(explanation.asks) if explanation.asks else None
    is_shown = sees_personal or field is None or not field.is_personal(marked)
    return {
        "pointer": explanation.pointer,
        "kind": explanation.kind,
        "truth": explanation.truth,
        "asks": explanation.asks,
        "op": explanation.op,
        "expected": explanation.expected,
        "actual": shown(explanation.actual, explanation.currency) if is_shown else None,
        "evidence": [str(row_id) for row_id in explanation.evidence],
        "children": [
            explanation_json(child, sees_personal=sees_personal, marked=marked)
            for child in explanation.children
        ],
    }


def shown(value: object, currency: str | None) -> JsonValue:  # noqa: PLR0911  (a table of cases)
    """A value of the facts as JSON."""
    match value:
        case None | bool() | str():
            return value
        case int() | Fraction() if currency is not None:
            return MoneyRead.of(Money(round(value), currency)).model_dump()
        case Fraction() | Decimal():
            return round(float(value), 6)
        case int() | float():
            return value
        case date():
            return value.isoformat()
        case list() | tuple():
            return [shown(item, None) for item in value]
        case _:
            return str(value)
