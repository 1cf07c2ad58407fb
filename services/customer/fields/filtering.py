"""What a client may ask of the values of a field, and how that is asked of the rows. Pure."""

import math
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from datetime import date
from functools import lru_cache
from typing import Any, Final, Literal
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Date,
    Integer,
    Select,
    Text,
    Uuid,
    bindparam,
    exists,
    func,
    literal,
    literal_column,
    select,
)
from sqlalchemy.types import TypeEngine

from services.customer.fields.models import custom_value
from services.customer.fields.record import CustomField, ValueColumn
from services.customer.fields.values import (
    LARGEST_NUMBER,
    LONGEST_URL,
    Key,
    ValueFault,
    minor_units,
    number_key,
    read_day,
    text_key,
)
from shared.text import nfc

Operator = Literal["eq", "in", "gte", "gt", "lte", "lt", "begins", "exists"]
Way = Literal["drive", "few", "probe", "exists"]
"""How rows are come by: in the order of the list, all of them, for each customer, or anyhow."""

MOST_VALUES: Final = 50
_RANGES: Final = frozenset({"gte", "gt", "lte", "lt"})
_TENANT: Final = bindparam("tenant", type_=Uuid)
_TYPES: Final[Mapping[ValueColumn, TypeEngine[Any]]] = {
    "text_value": Text(),
    "number_value": BigInteger(),
    "date_value": Date(),
}
_NUMBER: Final = re.compile(
    r"[+-]?([0-9]{1,40}(\.[0-9]{0,40})?|\.[0-9]{1,40})([eE][+-]?[0-9]{1,3})?"
)
_FENCE: Final = literal_column("0", Integer)
_BEYOND: Final = float(LARGEST_NUMBER + 1)
_LAST_CHARACTER: Final = chr(0x10FFFF)


@dataclass(frozen=True, slots=True)
class FieldShape:
    """A condition without its values: those with the same shape are the same statement."""

    index: int
    column: ValueColumn
    operators: tuple[str, ...]
    way: Way = "probe"

    @property
    def is_in_order(self) -> bool:
        """Whether an index has its customers in the order of a list."""
        return self.operators == ("eq",)


@dataclass(frozen=True, slots=True)
class FieldCondition:
    """What is asked of one field: all of its operators must hold of one value."""

    field: CustomField
    values: Mapping[str, Any] = dataclass_field(default_factory=dict)

    def shape(self, index: int) -> FieldShape:
        """The same for any values."""
        operators = [
            name if name != "exists" or self.values[name] else "missing" for name in self.values
        ]
        return FieldShape(index, self.field.column, tuple(sorted(operators)))

    def parameters(self, index: int) -> dict[str, Any]:
        """The values, as the statement of the shape names them."""
        named: dict[str, Any] = {f"field_{index}": self.field.id}
        for name, value in self.values.items():
            if name == "begins":
                named |= {f"begins_{index}": value, f"ends_{index}": value + _LAST_CHARACTER}
            elif name != "exists":
                named[f"{name}_{index}"] = value
        return named


def read_condition(defined: CustomField, asked: Mapping[Operator, Sequence[Any]]) -> FieldCondition:
    """What a client asks of a field, by operator. Raises ValueFault."""
    values: dict[str, Any] = {name: _read(defined, name, raw) for name, raw in asked.items()}
    if values.get("exists") is False and len(values) > 1:
        raise ValueFault("operator", "Who has no value has none to compare")
    return FieldCondition(defined, values)


def _read(defined: CustomField, operator: Operator, raw: Sequence[Any]) -> Any:
    if operator == "in":
        if len(raw) > MOST_VALUES:
            raise ValueFault("too_many", f"{MOST_VALUES} values at most")
        return [key_of(defined, one) for one in raw]
    if len(raw) != 1:
        raise ValueFault("single", "One value is expected")
    if operator == "exists":
        return _truth(raw[0]) == "true"
    if operator == "begins" and defined.type not in {"text", "url"}:
        raise ValueFault("operator", "Only texts begin with something")
    if operator in _RANGES and defined.column == "text_value":
        raise ValueFault("operator", "Only numbers, money and dates are compared")
    return key_of(defined, raw[0])


def key_of(defined: CustomField, raw: Any) -> Key:
    """A value to look for, as a parameter of a query has it or a body. Raises ValueFault."""
    return _KEYS.get(defined.type, _text)(defined, raw)


def _text(defined: CustomField, raw: Any) -> Key:
    if not isinstance(raw, str):
        raise ValueFault("text", "A text is expected")
    text = nfc(raw)
    if defined.type in {"enum", "multi_enum"} and text not in defined.option_values:
        raise ValueFault("option", "The field has no such option")
    return text_key(text) if defined.type == "text" else text[:LONGEST_URL]


def _number(_defined: CustomField, raw: Any) -> Key:
    if isinstance(raw, bool) or not _NUMBER.fullmatch(str(raw)):
        raise ValueFault("number", "A number is expected")
    number = float(raw)
    if not math.isfinite(number):
        raise ValueFault("number", "A number is expected")
    # Beyond what a field takes, all bounds are alike.
    return number_key(max(min(number, _BEYOND), -_BEYOND))


def _money(defined: CustomField, raw: Any) -> Key:
    return minor_units(defined, raw)


def _day(_defined: CustomField, raw: Any) -> date:
    return read_day(raw)


def _truth(raw: Any) -> str:
    text = str(raw).lower()
    if text not in {"true", "false"}:
        raise ValueFault("boolean", "true or false is expected")
    return text


_KEYS: Final[Mapping[str, Callable[[CustomField, Any], Key]]] = {
    "number": _number,
    "money": _money,
    "date": _day,
    "boolean": lambda _, raw: _truth(raw),
}


@lru_cache
def rows_of(index: int | str) -> Any:
    """The rows of the values, named for one condition."""
    return custom_value.alias(f"value_{index}")


def _field(index: int) -> ColumnElement[UUID]:
    return bindparam(f"field_{index}", type_=Uuid)


def holds(shape: FieldShape, customer_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """The condition on a customer; its parameters are those of the condition, and `tenant`."""
    rows = rows_of(shape.index)
    of_customer = rows.c.customer_id == customer_id
    if "missing" in shape.operators:
        values = matching(shape, operators=())
        if shape.way == "exists":
            return ~exists().where(*values, of_customer)
        one = select(literal(1)).where(*values, of_customer).limit(1)
        return one.correlate_except(rows).scalar_subquery().is_(None)
    if shape.way == "few":
        found = select(rows.c.customer_id).where(*matching(shape)).correlate(None)
        return customer_id == func.any(func.array(found.scalar_subquery(), type_=ARRAY(Uuid)))
    if shape.way == "probe":
        # Not `exists`: the planner would make a join of it, and what it expects of the values of
        # one field is what it knows of those of all. Nor the conditions at once: it would look
        # through all the customers of a value for each customer, and so it meets a fence.
        of_field = (rows.c.tenant_id == _TENANT, rows.c.field_id == _field(shape.index))
        own = select(rows).where(*of_field, of_customer).correlate_except(rows)
        fenced = own.offset(_FENCE).subquery(f"own_{shape.index}")
        one = select(literal(1)).where(*matching(shape, rows=fenced)).limit(1)
        return one.scalar_subquery().is_not(None)
    return exists().where(*matching(shape), of_customer)


def matching(
    shape: FieldShape, *, operators: Sequence[str] | None = None, rows: Any = None
) -> list[ColumnElement[bool]]:
    """The conditions on the rows of the values."""
    index = shape.index
    rows = rows_of(index) if rows is None else rows
    column, type_ = rows.c[shape.column], _TYPES[shape.column]
    conditions = [
        rows.c.tenant_id == _TENANT,
        rows.c.field_id == _field(index),
        column.is_not(None),
    ]
    for name in shape.operators if operators is None else operators:
        match name:
            case "eq":
                conditions.append(column == bindparam(f"eq_{index}", type_=type_))
            case "in":
                conditions.append(column == func.any(bindparam(f"in_{index}", type_=ARRAY(type_))))
            case "gte":
                conditions.append(column >= bindparam(f"gte_{index}", type_=type_))
            case "gt":
                conditions.append(column > bindparam(f"gt_{index}", type_=type_))
            case "lte":
                conditions.append(column <= bindparam(f"lte_{index}", type_=type_))
            case "lt":
                conditions.append(column < bindparam(f"lt_{index}", type_=type_))
            case "begins":
                conditions.append(column >= bindparam(f"begins_{index}", type_=type_))
                conditions.append(column < bindparam(f"ends_{index}", type_=type_))
            case _:
                pass
    return conditions


@lru_cache
def count_of_matching(shape: FieldShape, *, at_most: int) -> Select[Any]:
    """How many rows match, counted no further than that."""
    found = select(literal(1)).where(*matching(shape)).limit(at_most).subquery("found")
    return select(func.count()).select_from(found)
