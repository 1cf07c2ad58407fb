"""Rows of a file as they are kept between reading it and taking it in. Pure functions."""

import zlib
from collections.abc import Sequence
from typing import Final

import orjson

from services.customer.imports.layout import Numbered

_MOST_CELLS: Final = 2 * 2**20
_LEVEL: Final = 1


def packed(rows: Sequence[Numbered]) -> bytes:
    """Some rows, for the database."""
    return zlib.compress(orjson.dumps(rows), _LEVEL)


def unpacked(content: bytes) -> list[Numbered]:
    """The same, read again."""
    rows: list[Numbered] = [(row, cells) for row, cells in orjson.loads(zlib.decompress(content))]
    return rows


def portions(rows: Sequence[Numbered], size: int) -> list[Sequence[Numbered]]:
    """Rows in portions of so many; rows that weigh much stand in smaller ones."""
    found: list[Sequence[Numbered]] = []
    first = weight = 0
    for at, (_, cells) in enumerate(rows):
        weight += sum(map(len, cells))
        if at + 1 - first == size or weight > _MOST_CELLS:
            found.append(rows[first : at + 1])
            first, weight = at + 1, 0
    if first < len(rows):
        found.append(rows[first:])
    return found
