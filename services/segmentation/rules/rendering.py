"""An explanation as JSON, for people to read."""

from datetime import date
from decimal import Decimal
from fractions import Fraction
from typing import Any

from pydantic import JsonValue

from services.segmentation.rules.evaluate import Explanation
from shared.money import Money, MoneyRead


def explanation_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation and all below it; `truth` is null and `actual` is null when unknown.

    Money is an amount with its currency, an average rounded to its smallest unit.
    """
    return {
        "pointer": explanation.pointer,
        "kind": explanation.kind,
        "truth": explanation.truth,
        "asks": explanation.asks,
        "op": explanation.op,
        "expected": explanation.expected,
        "actual": shown(explanation.actual, explanation.currency),
        "evidence": [str(row_id) for row_id in explanation.evidence],
        "children": [explanation_json(child) for child in explanation.children],
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
