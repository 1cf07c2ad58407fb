"""Keyset pages: the next page starts after the last row's sort values, never at an OFFSET."""

import base64
import binascii
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, TypeVar
from uuid import UUID

import orjson
from sqlalchemy import ColumnElement, Integer, Select, SmallInteger, and_, bindparam, or_

from shared.errors import FieldError, Invalid
from shared.json import dumps
from shared.security.keys import SecretBox

MAX_LIMIT = 200
# Whole numbers that a column holds are less than this.
_BEYOND: Final[Mapping[type, int]] = {SmallInteger: 2**15, Integer: 2**31}
_BEYOND_ALL: Final = 2**63

RowT = TypeVar("RowT")


@dataclass(frozen=True, slots=True)
class SortKey:
    """One column of a total order; the last column of an order must be unique in its tenant."""

    column: ColumnElement[Any]
    name: str
    parse: Callable[[Any], Any]
    descending: bool = False

    def read(self, told: Any) -> Any:
        """The value that a cursor has of it. Raises ValueError for one that the column has not."""
        try:
            value = self.parse(told)
        except (TypeError, AttributeError, OverflowError) as error:
            raise ValueError from error
        beyond = _BEYOND.get(type(self.column.type), _BEYOND_ALL)
        if isinstance(value, int) and not -beyond <= value < beyond:
            raise ValueError("beyond the column")
        return value


@dataclass(frozen=True, slots=True)
class PageRequest:
    """What a client asked for: how many, and after which row."""

    limit: int
    cursor: str | None


def page(statement: Select[Any], order: Sequence[SortKey], request: PageRequest) -> Select[Any]:
    """`statement` cut to one page of the order, one row more to know whether another follows."""
    if request.cursor is not None:
        statement = statement.where(_after(order, decode_cursor(request.cursor, order)))
    return statement.order_by(*in_order(order)).limit(request.limit + 1)


def keyset(statement: Select[Any], order: Sequence[SortKey], *, continued: bool) -> Select[Any]:
    """The same as a statement to keep and run again: `keyset_values` are its parameters.

    `continued` is for pages after the first, which have a cursor.
    """
    if continued:
        after = [bindparam(f"after_{key.name}", type_=key.column.type) for key in order]
        statement = statement.where(_after(order, after))
    return statement.order_by(*in_order(order)).limit(bindparam("page_limit", type_=Integer))


def in_order(order: Sequence[SortKey]) -> list[ColumnElement[Any]]:
    """What a statement or a window in this order is sorted by."""
    return [key.column.desc() if key.descending else key.column.asc() for key in order]


def keyset_values(order: Sequence[SortKey], request: PageRequest) -> dict[str, Any]:
    """What a client asked for, as parameters of a `keyset` statement."""
    values: dict[str, Any] = {"page_limit": request.limit + 1}
    if request.cursor is not None:
        after = decode_cursor(request.cursor, order)
        values |= {f"after_{key.name}": value for key, value in zip(order, after, strict=True)}
    return values


def next_cursor(
    rows: Sequence[RowT], order: Sequence[SortKey], limit: int
) -> tuple[Sequence[RowT], str | None]:
    """The rows of the page itself, and the cursor of the next page if there is one."""
    if len(rows) <= limit:
        return rows, None
    kept = rows[:limit]
    return kept, encode_cursor([getattr(kept[-1], key.name) for key in order])


def encode_cursor(values: Sequence[Any]) -> str:
    """An opaque cursor for the row with these sort values."""
    return base64.urlsafe_b64encode(dumps(list(values))).decode().rstrip("=")


def decode_cursor(cursor: str, order: Sequence[SortKey]) -> list[Any]:
    """The sort values again. Raises Invalid when the cursor is not one of this list."""
    values = open_cursor(cursor)
    try:
        return [key.read(value) for key, value in zip(order, values, strict=True)]
    except ValueError as error:
        raise invalid_cursor() from error


def open_cursor(cursor: str) -> list[Any]:
    """What a cursor holds, as JSON has it. Raises Invalid when it is none of ours."""
    try:
        raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        values = orjson.loads(raw)
    except (ValueError, binascii.Error) as error:
        raise invalid_cursor() from error
    if not isinstance(values, list):
        raise invalid_cursor()
    return values


def invalid_cursor() -> Invalid:
    """The error for a cursor that is not one of this list."""
    fault = FieldError("/query/cursor", "invalid_cursor", "Use next_cursor of the page before")
    return Invalid("The cursor is not valid for this list", errors=[fault])


def _after(order: Sequence[SortKey], values: Sequence[Any]) -> ColumnElement[bool]:
    alternatives: list[ColumnElement[bool]] = []
    for depth, (key, value) in enumerate(zip(order, values, strict=True)):
        equal = [order[i].column == values[i] for i in range(depth)]
        further = key.column < value if key.descending else key.column > value
        alternatives.append(and_(*equal, further))
    # The redundant bound on the leading column lets the index start at the right place.
    first, value = order[0], values[0]
    bound = first.column <= value if first.descending else first.column >= value
    return and_(bound, or_(*alternatives))


class SealedCursors:
    """Cursors that say nothing to those who are not shown what a list is sorted by."""

    def __init__(self, secrets: SecretBox) -> None:
        self._secrets = secrets

    def seal(self, cursor: str | None) -> str | None:
        """The cursor as somebody may have it who is not to read it."""
        return None if cursor is None else self._secrets.seal({"cursor": cursor})

    def open(self, sealed: str | None) -> str | None:
        """The cursor again. Raises Invalid when it is none that was sealed here."""
        if sealed is None:
            return None
        try:
            return self._secrets.open(sealed)["cursor"]
        except (ValueError, KeyError) as error:
            raise invalid_cursor() from error


def parse_instant(value: Any) -> datetime:
    """A cursor's text as an instant."""
    at = datetime.fromisoformat(value)
    if at.tzinfo is None:
        raise ValueError("no zone")
    # Where it is written of another zone, it may be beyond all years.
    return at.astimezone(UTC)


def parse_id(value: Any) -> UUID:
    """A cursor's text as an id."""
    return UUID(value)
