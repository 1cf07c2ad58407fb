"""From what the validator finds to one fault for each field of the request. Pure.

The validator's locations also hold what is no part of a request: which member of a union it tried,
and that a key of an object is meant. It tells of every member of a union that does not fit.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from shared.errors import FieldError

_Part = int | str
_Path = tuple[_Part, ...]
_KEY: Final = "[key]"
_BODY: Final = "body"
_EXPECTED: Final = "Input should be "
_OF_OTHER_TYPE: Final = ("_type", "_parsing", "literal_error", "enum")
NO_MEMBER: Final = "union_type"
"""The code of a value that is of none of the types that its field may have."""


@dataclass(frozen=True, slots=True)
class _Fault:
    """`path` leads into the request; `members` are the unions on the way, and what was tried."""

    path: _Path
    members: tuple[tuple[_Path, str], ...]
    code: str
    detail: str


def field_errors(faults: Iterable[Mapping[str, Any]], *, body: object) -> list[FieldError]:
    """One fault for each field, in the validator's order; `body` is what was validated.

    Of a union those of the member whose type fits, else one that says which types it may have.
    """
    found: dict[_Path, FieldError] = {}
    for fault in _decided([_read(fault, body) for fault in faults], depth=0):
        pointer = _pointer(fault.path)
        found.setdefault(fault.path, FieldError(pointer, fault.code, fault.detail))
    return list(found.values())


def _read(fault: Mapping[str, Any], body: object) -> _Fault:
    """What a location means: names that are in the request, unless the fault is elsewhere then.

    A member of a union may be called as a field is that happens to be there.
    """
    read, reached = _walk(fault, body)
    if read.path[0] == _BODY and reached is not fault.get("input"):
        for at in range(1, len(fault["loc"])):
            other, reached = _walk(fault, body, member_at=at)
            if reached is fault.get("input"):
                return other
    return read


def _walk(
    fault: Mapping[str, Any], body: object, *, member_at: int | None = None
) -> tuple[_Fault, object]:
    """The fault, and the value that it is of; of what is lacking, what lacks it."""
    location: Sequence[_Part] = fault["loc"]
    path: list[_Part] = list(location[:1])
    members: list[tuple[_Path, str]] = []
    value: object = body
    last = len(location) - 1
    for at, part in enumerate(location[1:], 1):
        is_there, inner = _step(value, part)
        if is_there and at != member_at:
            value = inner
        elif not _is_told(location, at) and not (at == last and fault["type"] == "missing"):
            if part != _KEY:
                members.append((tuple(path), str(part)))
            continue
        path.append(part)
    return _Fault(tuple(path), tuple(members), fault["type"], fault["msg"]), value


def _is_told(location: Sequence[_Part], at: int) -> bool:
    """Elsewhere than in a body there are names and places in lists, and nothing within them."""
    return location[0] != _BODY and (at == 1 or isinstance(location[at], int))


def _step(value: object, part: _Part) -> tuple[bool, object]:
    if isinstance(value, Mapping) and part in value:
        return True, value[part]
    if isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
        return True, value[part]
    return False, None


def _decided(faults: Sequence[_Fault], *, depth: int) -> Iterator[_Fault]:
    """The faults without those of union members that were not meant, outer unions first."""
    unions: dict[_Path, dict[str, list[_Fault]]] = {}
    for fault in faults:
        if len(fault.members) > depth:
            place, member = fault.members[depth]
            unions.setdefault(place, {}).setdefault(member, []).append(fault)
    for fault in faults:
        if len(fault.members) <= depth:
            yield fault
            continue
        # Told where the first of them stands.
        union = unions.pop(fault.members[depth][0], None)
        if union is not None:
            yield from _of_union(fault.members[depth][0], list(union.values()), depth=depth)


def _of_union(place: _Path, members: Sequence[Sequence[_Fault]], *, depth: int) -> Iterator[_Fault]:
    fitting = [member for member in members if not any(_is_other_type(f, place) for f in member)]
    if len(members) > 1 and not fitting:
        yield _Fault(place, (), NO_MEMBER, _expected(members))
        return
    # Several fit where they are objects: the one that was meant has the fewest faults.
    meant = min(fitting or members, key=len)
    yield from _decided(meant, depth=depth + 1)


def _is_other_type(fault: _Fault, place: _Path) -> bool:
    """Whether it says that the value of a union is nothing of the kind that its member is."""
    return fault.path == place and fault.code.endswith(_OF_OTHER_TYPE)


def _expected(members: Sequence[Sequence[_Fault]]) -> str:
    details = dict.fromkeys(member[0].detail for member in members)
    if not all(detail.startswith(_EXPECTED) for detail in details):
        return "The value has none of the types that the field may have"
    *others, last = (detail.removeprefix(_EXPECTED) for detail in details)
    return f"{_EXPECTED}{', '.join(others)} or {last}" if others else f"{_EXPECTED}{last}"


def _pointer(path: _Path) -> str:
    return "".join(f"/{str(part).replace('~', '~0').replace('/', '~1')}" for part in path)
