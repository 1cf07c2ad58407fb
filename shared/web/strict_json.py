"""JSON as it is read from strangers: not too deep, not ambiguous, and nothing that cannot be kept.

RFC 8259 leaves open what a repeated name means and how large a number may be, and readers differ;
RFC 7493 (I-JSON) closes these doors, and so does this. PostgreSQL keeps neither a NUL nor half a
surrogate pair. Whatever is refused is named by a pointer to its place.
"""

import json
import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Final

from fastapi import Request

from shared.errors import FieldError

MAX_DEPTH: Final = 32
MAX_NAMES: Final = 1000
"""In one object. To say of each of 50,000 unknown names that it is unknown takes a second."""

_STRING: Final = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
_STEPS: Final = [(byte in b"[{") - (byte in b"]}") for byte in range(256)]
_SUSPICIOUS_ESCAPE: Final = re.compile(r"\\u(?:0000|[dD][89a-fA-F])")
_MOST_DIGITS: Final = 20
_LEAST, _MOST = -(2**63), 2**63 - 1


class RefusedJson(json.JSONDecodeError):
    """Why a body is not taken; `fault` says where."""

    def __init__(self, pointer: str, code: str, detail: str) -> None:
        super().__init__(detail, "", 0)
        self.fault = FieldError(pointer, code, detail)


class StrictRequest(Request):
    """A request whose `json()` reads strictly. Raises json.JSONDecodeError."""

    @classmethod
    def of(cls, request: Request) -> "StrictRequest":
        """The same request; its body must not have been read."""
        return cls(request.scope, request.receive, request._send)

    async def json(self) -> Any:
        """The body, decoded once."""
        if not hasattr(self, "_json"):
            self._json = read_json(await self.body())
        return self._json


@dataclass(frozen=True, slots=True)
class _Refused:
    """What stands in the place of a value that is not taken."""

    code: str
    detail: str


class _Doubled(dict[str, Any]):
    """An object with a name that stands in it twice."""

    name: str = ""


def read_json(body: bytes) -> Any:
    """The value of a body. Raises json.JSONDecodeError, and RefusedJson with the place."""
    try:
        text = body.decode()
    except UnicodeDecodeError as error:
        detail = f"Byte {error.start} is not UTF-8"
        raise RefusedJson("/body", "json_not_utf8", detail) from error
    if is_too_deep(body):
        raise RefusedJson("/body", "json_too_deep", f"At most {MAX_DEPTH} levels may be nested")
    refusals = _READER.refusals
    value = _READER.read(text)
    if refusals != _READER.refusals or _SUSPICIOUS_ESCAPE.search(text):
        for fault in _faults(value, "/body"):
            raise RefusedJson(fault.pointer, fault.code, fault.detail)
    return value


def is_too_deep(body: bytes) -> bool:
    """Whether lists and objects are nested more than MAX_DEPTH deep, told without parsing.

    Of a text that is not JSON it is right up to the first fault, which is as far as a parser goes.
    """
    if body.count(b"[") + body.count(b"{") <= MAX_DEPTH:
        return False
    brackets = _STRING.sub(b"", body).translate(None, _NO_BRACKETS)
    return max(accumulate(map(_STEPS.__getitem__, brackets)), default=0) > MAX_DEPTH


class _Reader:
    """Reads, puts a mark in the place of what is refused, and counts the marks it has ever made."""

    def __init__(self) -> None:
        self.refusals = 0
        self._decoder = json.JSONDecoder(
            object_pairs_hook=self._object,
            parse_int=self._integer,
            parse_float=self._number,
            parse_constant=self._constant,
        )

    def read(self, text: str) -> Any:
        return self._decoder.decode(text)

    def _object(self, pairs: list[tuple[str, Any]]) -> "dict[str, Any] | _Refused":
        if len(pairs) > MAX_NAMES:
            return self._refuse("json_too_many_names", f"An object has {MAX_NAMES} names at most")
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        self.refusals += 1
        doubled = _Doubled(value)
        names = [name for name, _ in pairs]
        doubled.name = next(name for at, name in enumerate(names) if name in names[:at])
        return doubled

    def _integer(self, digits: str) -> int | _Refused:
        if len(digits) <= _MOST_DIGITS and _LEAST <= (value := int(digits)) <= _MOST:
            return value
        return self._refuse("number_too_large", f"Integers are from {_LEAST} to {_MOST}")

    def _number(self, digits: str) -> float | _Refused:
        value = float(digits)
        if math.isfinite(value):
            return value
        return self._refuse("number_too_large", "The number is too large for a double")

    def _constant(self, name: str) -> _Refused:
        return self._refuse("not_a_number", f"{name} is no JSON")

    def _refuse(self, code: str, detail: str) -> _Refused:
        self.refusals += 1
        return _Refused(code, detail)


_READER: Final = _Reader()


def _faults(value: Any, pointer: str) -> Iterator[FieldError]:
    """Everything that is not taken, in the order of the text."""
    if isinstance(value, _Refused):
        yield FieldError(pointer, value.code, value.detail)
    elif isinstance(value, str):
        fault = _text_fault(value)
        if fault is not None:
            yield FieldError(pointer, fault.code, fault.detail)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from _faults(item, f"{pointer}/{place}")
    elif isinstance(value, dict):
        yield from _faults_of_object(value, pointer)


def _faults_of_object(value: dict[str, Any], pointer: str) -> Iterator[FieldError]:
    for name, item in value.items():
        fault = _text_fault(name)
        if fault is not None:
            yield FieldError(pointer, fault.code, f"In a name: {fault.detail}")
        else:
            escaped = name.replace("~", "~0").replace("/", "~1")
            if isinstance(value, _Doubled) and name == value.name:
                detail = "This name stands twice in its object"
                yield FieldError(f"{pointer}/{escaped}", "json_name_twice", detail)
            yield from _faults(item, f"{pointer}/{escaped}")


def _text_fault(text: str) -> _Refused | None:
    if "\0" in text:
        return _Refused("text_control_character", "Text holds the control character U+0000")
    if any("\ud800" <= char <= "\udfff" for char in text):
        return _Refused("text_not_unicode", "Text holds half a surrogate pair")
    return None
