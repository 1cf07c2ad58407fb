"""What a route says of itself in its list of dependencies: read once, not solved per request."""

from collections.abc import Iterable
from typing import TypeVar

from fastapi.params import Depends
from fastapi.routing import APIRoute


class RouteMark:
    """Stands among a route's dependencies and gives nothing to the endpoint."""

    __slots__ = ()

    async def __call__(self) -> None:
        """Nothing left to do: the route itself acts on it."""


MarkT = TypeVar("MarkT", bound=RouteMark)


def sorted_out(
    dependencies: Iterable[Depends],
) -> tuple[tuple[RouteMark, ...], list[Depends]]:
    """The marks among a route's dependencies, and those that are to be solved."""
    marks: list[RouteMark] = []
    rest: list[Depends] = []
    for dependency in dependencies:
        if isinstance(dependency.dependency, RouteMark):
            marks.append(dependency.dependency)
        else:
            rest.append(dependency)
    return tuple(marks), rest


def marks_of(route: APIRoute, kind: type[MarkT]) -> list[MarkT]:
    """A route's marks of one kind."""
    marks: tuple[RouteMark, ...] = getattr(route, "marks", ())
    return [mark for mark in marks if isinstance(mark, kind)]
