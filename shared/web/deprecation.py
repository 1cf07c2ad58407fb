"""Operations that will go away, announced where clients look: in every answer and the OpenAPI.

    @router.get("/old", dependencies=[requires("x:read"), deprecated(
        since=date(2026, 3, 1), sunset=date(2026, 9, 1), successor="/v1/new",
    )])

Answers then carry `Deprecation` (RFC 9745), `Sunset` (RFC 8594) and `Link` headers, errors too.
"""

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from email.utils import format_datetime
from typing import Any

from fastapi import Depends, Request, Response
from fastapi.routing import APIRoute

from shared.web.marks import RouteMark, marks_of
from shared.web.problems import TOLD, problem_of

Handler = Callable[[Request], Coroutine[Any, Any, Response]]


@dataclass(frozen=True, slots=True)
class Deprecated(RouteMark):
    """Marks a route; since when it is deprecated, when it goes away, and what to use instead.

    Raises ValueError when it would go away before it is deprecated.
    """

    since: date
    sunset: date | None = None
    successor: str | None = None
    reading: str | None = None
    """Where a person reads what to do."""

    def __post_init__(self) -> None:
        if self.sunset is not None and self.sunset <= self.since:
            raise ValueError("what is deprecated goes away after it is deprecated")

    @property
    def headers(self) -> dict[str, str]:
        """What answers say of it."""
        told = {"Deprecation": f"@{int(_midnight(self.since).timestamp())}"}
        if self.sunset is not None:
            told["Sunset"] = format_datetime(_midnight(self.sunset), usegmt=True)
        links = [
            f'<{target}>; rel="{relation}"'
            for target, relation in (
                (self.successor, "successor-version"),
                (self.reading, "deprecation"),
            )
            if target is not None
        ]
        return {**told, "Link": ", ".join(links)} if links else told


def deprecated(
    *,
    since: date,
    sunset: date | None = None,
    successor: str | None = None,
    reading: str | None = None,
) -> Any:
    """A route dependency that announces the end of its operation; see `Deprecated`."""
    return Depends(Deprecated(since, sunset, successor, reading))


def deprecation_of(route: APIRoute) -> Deprecated | None:
    """What a route's dependencies announce."""
    return next(iter(marks_of(route, Deprecated)), None)


def announcing(route: APIRoute, handle: Handler) -> Handler:
    """`handle`, whose answers say that the route is deprecated; itself if it is not."""
    mark = deprecation_of(route)
    if mark is None:
        return handle
    headers = mark.headers

    async def announce(request: Request) -> Response:
        try:
            response = await handle(request)
        except TOLD as error:
            response = await problem_of(request, error)
        response.headers.update(headers)
        return response

    return announce


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)
