"""The orders that a list of customers can have.

An order by something that many customers do not have consists of two parts: the *main* one, which
an index holds, and the *rest*, the newest first. A page goes over from the one to the other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from functools import lru_cache
from typing import Annotated, Any, Final
from uuid import UUID

from pydantic import StringConstraints
from sqlalchemy import ColumnElement, column

from services.customer.customers.models import NOTHING, customer
from services.customer.fields.record import CustomField, ValueColumn
from shared.db.paging import (
    SortKey,
    encode_cursor,
    invalid_cursor,
    open_cursor,
    parse_id,
    parse_instant,
)
from shared.errors import FieldError, Invalid

SortText = Annotated[
    str,
    StringConstraints(
        pattern=r"^-?(created_at|updated_at|name|orders_count|total_spent|last_order_at"
        r"|last_interaction_at|days_since_last_order|days_since_last_interaction"
        r"|attributes\.[a-z][a-z0-9_]{0,63})$"
    ),
]
NEWEST: Final = "-created_at"
_OWN: Final = "attributes."
# So many days ago is the other way round.
_AGES: Final[Mapping[str, str]] = {
    "days_since_last_order": "last_order_at",
    "days_since_last_interaction": "last_interaction_at",
}
_PARSERS: Final[Mapping[ValueColumn, Callable[[Any], Any]]] = {
    "text_value": str,
    "number_value": int,
    "date_value": date.fromisoformat,
}
_ID: Final = SortKey(customer.c.id, "id", parse_id, descending=True)


@dataclass(frozen=True, slots=True)
class _Order:
    """One order: by which column, and who has something there."""

    column: ColumnElement[Any]
    name: str
    parse: Callable[[Any], Any]
    main: ColumnElement[bool] | None = None
    rest: ColumnElement[bool] | None = None
    rest_is_least: bool = False
    """Whether the rest comes first when the least does; otherwise it is always last."""


def _known(name: str, parse: Callable[[Any], Any]) -> _Order:
    of = customer.c[name]
    return _Order(of, name, parse, of.is_not(None), of.is_(None))


def _counted(name: str) -> _Order:
    of = customer.c[name]
    return _Order(of, name, int, of > NOTHING, of <= NOTHING, rest_is_least=True)


_ORDERS: Final[Mapping[str, _Order]] = {
    "created_at": _Order(customer.c.created_at, "created_at", parse_instant),
    "updated_at": _Order(customer.c.updated_at, "updated_at", parse_instant),
    "name": _known("name_key", str),
    "last_order_at": _known("last_order_at", parse_instant),
    "last_interaction_at": _known("last_interaction_at", parse_instant),
    "orders_count": _counted("orders_count"),
    "total_spent": _counted("total_spent_minor"),
}


@dataclass(frozen=True, slots=True)
class Part:
    """A part of an order; `field` when its rows are those of a field's values."""

    mark: str
    keys: tuple[SortKey, ...]
    condition: ColumnElement[bool] | None = None
    field: ValueColumn | None = None
    is_rest: bool = False

    def parameters(self, after: list[Any] | None) -> dict[str, Any]:
        """Where to go on, as parameters of a `keyset` statement."""
        values = zip(self.keys, after or (), strict=False)
        return {f"after_{key.name}": value for key, value in values}

    def cursor(self, row: Any) -> str:
        """The cursor of the page after this row."""
        return encode_cursor([self.mark, *(getattr(row, key.name) for key in self.keys)])


@dataclass(frozen=True, slots=True)
class Sort:
    """The order that a client has asked for; by a field of the shop's own, if there is one.

    Orders that differ in nothing but the id of the field are the same statement.
    """

    name: str
    descending: bool
    own: ValueColumn | None = None
    field_id: UUID | None = dataclass_field(default=None, compare=False)

    @property
    def is_newest_first(self) -> bool:
        """Whether it is the order of every list that says nothing else."""
        return self.name == "created_at" and self.descending

    @property
    def is_personal(self) -> bool:
        """Whether it is by what is masked for callers without `pii:read`."""
        return self.name == "name"

    @property
    def parts(self) -> tuple[Part, ...]:
        """The parts, in their order."""
        return _parts_of(self.name, self.own, descending=self.descending)


NEWEST_FIRST: Final = Sort("created_at", descending=True)


def field_key_of(text: str) -> str | None:
    """The key of the field that an order is by, if it is one of the shop's own."""
    name = text.removeprefix("-")
    return name.removeprefix(_OWN) if name.startswith(_OWN) else None


def sort_of(text: str, fields: Mapping[str, CustomField]) -> Sort:
    """The order that a text says. Raises Invalid for a field not there, or of several values."""
    name, descending = text.removeprefix("-"), text.startswith("-")
    key = field_key_of(text)
    if key is None:
        if name in _AGES:
            return Sort(_AGES[name], descending=not descending)
        return Sort(name, descending)
    field = fields.get(key)
    if field is None or field.type == "multi_enum":
        detail = "No field of one value has this key"
        raise Invalid(errors=[FieldError("/query/sort", "unknown_field", detail)])
    return Sort(name, descending, field.column, field.id)


def resumed(parts: Sequence[Part], cursor: str | None) -> tuple[int, list[Any] | None]:
    """At which part a page begins, and after which values. Raises Invalid."""
    if cursor is None:
        return 0, None
    values = open_cursor(cursor)
    for number, part in enumerate(parts):
        if values and values[0] == part.mark and len(values) == len(part.keys) + 1:
            try:
                after = [k.read(v) for k, v in zip(part.keys, values[1:], strict=True)]
            except ValueError:
                break
            return number, after
    raise invalid_cursor()


@lru_cache(maxsize=512)
def _parts_of(name: str, own: ValueColumn | None, *, descending: bool) -> tuple[Part, ...]:
    mark = f"{'-' if descending else ''}{name}"
    if own is not None:
        return _own_parts(mark, own, descending=descending)
    return _parts(mark, _ORDERS[name], descending=descending)


def _parts(mark: str, order: _Order, *, descending: bool) -> tuple[Part, ...]:
    keys = (
        SortKey(order.column, order.name, order.parse, descending),
        SortKey(customer.c.id, "id", parse_id, descending),
    )
    main = Part(mark, keys, order.main)
    if order.rest is None:
        return (main,)
    rest = Part(f"{mark}:rest", (_ID,), order.rest, is_rest=True)
    return (rest, main) if order.rest_is_least and not descending else (main, rest)


def _own_parts(mark: str, own: ValueColumn, *, descending: bool) -> tuple[Part, ...]:
    keys = (
        SortKey(column(own), own, _PARSERS[own], descending),
        SortKey(column("created_at"), "created_at", parse_instant, descending),
        SortKey(column("id"), "id", parse_id, descending),
    )
    return Part(mark, keys, field=own), Part(f"{mark}:rest", (_ID,), field=own, is_rest=True)
