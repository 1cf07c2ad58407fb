"""The list of whom a run concerned, as lines of a file. Pure."""

import csv
import io
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

_HEAD: Final = ("rule", "customer_id", "code", "data", "amount", "clock_at", "outcome")
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


@dataclass(frozen=True, slots=True)
class Line:
    """Something of somebody, and what came of it. Of entries of nobody there is no code."""

    customer_id: str
    code: str
    data: str
    amount: int
    clock_at: str
    outcome: str


def as_csv(rule: str, lines: Iterable[Line], *, is_first: bool) -> bytes:
    """RFC 4180, every line ended; a rule's name is the shop's own and no formula."""
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        writer.writerow(_HEAD)
    name = f"'{rule}" if rule.startswith(_FORMULA) else rule
    writer.writerows(
        (name, each.customer_id, each.code, each.data, each.amount, each.clock_at, each.outcome)
        for each in lines
    )
    return text.getvalue().encode()
