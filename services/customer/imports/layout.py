"""Where in a file the table is: its header, its columns, and what is in them. Pure functions."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from services.customer.imports.headers import looks_like_data, suggestions, target_of_header

_HEADER_WITHIN: Final = 10
_SAMPLES: Final = 3
_SAMPLE_LENGTH: Final = 80
_LOOKED_AT: Final = 50

Numbered = tuple[int, list[str]]
"""A row of a file that is not blank, with its number as a spreadsheet shows it."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a file; no two have one name."""

    name: str
    samples: list[str]
    suggestion: str | None

    def as_json(self) -> dict[str, Any]:
        """The form that is kept."""
        return {"name": self.name, "samples": self.samples, "suggestion": self.suggestion}


def header_row(head: Sequence[Numbered], *, region: str) -> int:
    """The number of the row that names the columns; 0 when there is none.

    The one with most names that we know, since titles and dates often stand above it. Without any,
    it is the first, unless that already tells of somebody.
    """
    best, found = 0, 0
    for row, cells in head[:_HEADER_WITHIN]:
        known = sum(target_of_header(cell) is not None for cell in cells if cell)
        if known > best and not looks_like_data(cells, region=region):
            best, found = known, row
    if best:
        return found
    row, cells = head[0]
    named = [cell for cell in cells if cell]
    is_header = len(named) > 1 and not any(cell.isdigit() for cell in named)
    return row if is_header and not looks_like_data(cells, region=region) else 0


def columns_of(head: Sequence[Numbered], header: int, *, region: str) -> list[Column]:
    """The columns of a table whose header is in a row of that number, or in none (0)."""
    below = [cells for row, cells in head if row > header][:_LOOKED_AT]
    titles = next((cells for row, cells in head if row == header), [])
    width = max(map(len, [titles, *below]), default=0)
    values = [
        [cells[at] for cells in below if at < len(cells) and cells[at]] for at in range(width)
    ]
    # Without a title it is a column only where most rows have it: in a few it is a comma too many.
    while values and not any(titles[len(values) - 1 :]) and 2 * len(values[-1]) < len(below) + 1:
        values.pop()
    titles = titles[: len(values)]
    names = _names([*titles, *[""] * (len(values) - len(titles))])
    titled = [*titles, *[""] * (len(names) - len(titles))]
    suggested = suggestions(titled, values, region=region)
    return [
        Column(name, [value[:_SAMPLE_LENGTH] for value in found[:_SAMPLES]], target)
        for name, found, target in zip(names, values, suggested, strict=True)
    ]


def _names(titles: Sequence[str]) -> list[str]:
    names: list[str] = []
    for place, title in enumerate(titles, 1):
        name = " ".join(title.split())[:100] or f"Column {place}"
        distinct, number = name, 2
        while distinct in names:
            distinct, number = f"{name} ({number})", number + 1
        names.append(distinct)
    return names
