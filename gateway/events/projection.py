"""From the contracts between our parts to the objects that the outside is promised.

A public object is a pydantic model whose fields say where their values come from. The model is the
documentation; compiled once, it is also the projection: plain data in, plain data out. Contracts
were validated by those who wrote them, and every event of every shop passes here, so nothing is
validated again (a test holds the projection's results against the models).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel, ConfigDict
from pydantic_core import PydanticUndefined

from shared.money import Money

Plain = Mapping[str, Any]
_Get = Callable[[Plain, str], Any]
_NOWHERE: Final = ""


class PublicObject(BaseModel):
    """A part of a public event."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass(frozen=True, slots=True)
class From:
    """The contract has it under another name."""

    name: str


@dataclass(frozen=True, slots=True)
class Amount:
    """The contract has minor units, of the nearest `currency` around them."""

    minor: str


@dataclass(frozen=True, slots=True)
class Whole:
    """Made of the same contract object that the field's own object is made of."""


def project(model: type[PublicObject], source: Plain, *, currency: str = "") -> dict[str, Any]:
    """The public object that a contract object becomes, as plain data."""
    plain, made = _compiled(model)
    made_of: dict[str, Any] = {name: source.get(key, default) for name, key, default in plain}
    if made:
        currency = source.get("currency") or currency
        for name, get in made:
            made_of[name] = get(source, currency)
    return made_of


@cache
def _compiled(
    model: type[PublicObject],
) -> tuple[tuple[tuple[str, str, Any], ...], tuple[tuple[str, _Get], ...]]:
    """The fields that are passed on as they are, and those that are made of something."""
    plain: list[tuple[str, str, Any]] = []
    made: list[tuple[str, _Get]] = []
    for name, field in model.model_fields.items():
        marks = {type(mark): mark for mark in field.metadata}
        inner, is_list = _inner(field.annotation)
        key = marks[From].name if From in marks else name
        if Amount in marks:
            made.append((name, _amount(marks[Amount].minor)))
        elif inner is None:
            default = field.get_default(call_default_factory=True)
            # A contract's own `object` would be another one.
            key = _NOWHERE if name == "object" else key
            plain.append((name, key, None if default is PydanticUndefined else default))
        elif Whole in marks:
            made.append((name, _whole(inner)))
        elif is_list:
            made.append((name, _objects(inner, key)))
        else:
            made.append((name, _object(inner, key, required=field.is_required())))
    return tuple(plain), tuple(made)


def _amount(key: str) -> _Get:
    def get(source: Plain, currency: str) -> Any:
        minor = source.get(key) or 0
        return {"amount": Money(minor, currency).decimal_string(), "currency": currency}

    return get


def _whole(inner: type[PublicObject]) -> _Get:
    return lambda source, currency: project(inner, source, currency=currency)


def _object(inner: type[PublicObject], key: str, *, required: bool) -> _Get:
    def get(source: Plain, currency: str) -> Any:
        item = source[key] if required else source.get(key)
        return None if item is None else project(inner, item, currency=currency)

    return get


def _objects(inner: type[PublicObject], key: str) -> _Get:
    return lambda source, currency: [
        project(inner, item, currency=currency) for item in source.get(key, ())
    ]


def _inner(annotation: Any) -> tuple[type[PublicObject] | None, bool]:
    """The public object that an annotation holds, perhaps, and whether it is a list of them."""
    if get_origin(annotation) is Annotated:
        return _inner(get_args(annotation)[0])
    if get_origin(annotation) is list:
        return _inner(get_args(annotation)[0])[0], True
    if get_origin(annotation) in (Union, UnionType):
        some = [each for each in get_args(annotation) if each is not NoneType]
        return _inner(some[0]) if len(some) == 1 else (None, False)
    if not isinstance(annotation, type):
        return None, False
    return (annotation if issubclass(annotation, PublicObject) else None), False
