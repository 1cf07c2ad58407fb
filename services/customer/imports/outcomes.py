"""What has become of rows: counted, and as lines of a file. Pure functions."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.customer.imports.plan import OUTCOMES, RowOutcome
from services.customer.imports.repository import Import

MEDIA_TYPE: Final = "text/csv; charset=utf-8"
_BYTE_ORDER_MARK: Final = "\ufeff"
# A cell that begins so is a formula to a spreadsheet (OWASP, CSV injection).
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
_HEAD: Final = ("row", "outcome", "customer_id", "code", "of_row", "changed", "problems")
_UNDO_HEAD: Final = ("row", "outcome", "undone", "customer_id", "code", "kept")
_SAMPLES: Final = 5
_PROBLEMS: Final = 200


def no_counts() -> dict[str, Any]:
    """Before the first row."""
    return {
        "rows": 0,
        **dict.fromkeys(OUTCOMES, 0),
        "possible_duplicates": 0,
        "problems": [],
        "samples": [],
    }


def counted(
    before: Mapping[str, Any], outcomes: Sequence[RowOutcome], *, look_alikes: int
) -> dict[str, Any]:
    """The counts with some further rows."""
    counts = {**before, "rows": before["rows"] + len(outcomes)}
    counts["possible_duplicates"] += look_alikes
    problems = {(found["column"], found["code"]): dict(found) for found in before["problems"]}
    samples = list(before["samples"])
    shown = {word: sum(one["outcome"] == word for one in samples) for word in OUTCOMES}
    for outcome in outcomes:
        counts[outcome.outcome] += 1
        for problem in outcome.problems:
            key = (problem.column, problem.code)
            if key not in problems and len(problems) < _PROBLEMS:
                problems[key] = {**problem.as_json(), "count": 0, "first_row": outcome.row}
            if key in problems:
                problems[key]["count"] += 1
        if shown[outcome.outcome] < _SAMPLES:
            shown[outcome.outcome] += 1
            samples.append(_sample(outcome))
    return {**counts, "problems": list(problems.values()), "samples": samples}


def _sample(outcome: RowOutcome) -> dict[str, Any]:
    return {
        "row": outcome.row,
        "outcome": outcome.outcome,
        "customer_id": str(outcome.customer_id) if outcome.customer_id else None,
        "of_row": outcome.of_row,
        "changes": outcome.shown,
        "problems": [problem.as_json() for problem in outcome.problems],
    }


def without_samples(found: Import) -> dict[str, Any]:
    """The columns of an import that have samples of its rows, without them."""
    return {
        "columns": [{**column, "samples": []} for column in found.columns],
        "dry_run": counts_alone(found.dry_run),
        "run": counts_alone(found.run),
    }


def counts_alone(counts: Mapping[str, Any] | None) -> dict[str, Any] | None:
    """Counts without the rows that are shown beside them."""
    return None if counts is None else {**counts, "samples": []}


def rendered(outcomes: Iterable[RowOutcome], *, is_first: bool) -> bytes:
    """The lines of the outcome file; the first also have its head."""
    return _lines(_HEAD, map(_cells, outcomes), is_first=is_first)


def rendered_undo(rows: Iterable[Sequence[Any]], *, is_first: bool) -> bytes:
    """The lines of the file that tells how far rows were taken back."""
    return _lines(_UNDO_HEAD, rows, is_first=is_first)


def _cells(outcome: RowOutcome) -> Sequence[Any]:
    problems = (
        f"{problem.column}: {problem.code}" if problem.column else problem.code
        for problem in outcome.problems
    )
    return (
        outcome.row,
        outcome.outcome,
        outcome.customer_id or "",
        outcome.code or "",
        outcome.of_row or "",
        _harmless(", ".join([*outcome.fields, *outcome.added])),
        _harmless("; ".join(problems)),
    )


def _lines(head: Sequence[str], rows: Iterable[Sequence[Any]], *, is_first: bool) -> bytes:
    text = io.StringIO()
    writer = csv.writer(text)
    if is_first:
        text.write(_BYTE_ORDER_MARK)
        writer.writerow(head)
    writer.writerows(rows)
    return text.getvalue().encode()


def _harmless(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
