"""The last seconds of a process that was told to end while others still send it requests.

It says so at `/readyz`, so that whoever spreads requests stops choosing it; it goes on answering,
and closes each connection with its answer, so that nobody has one open when it stops listening.
"""

import asyncio
from typing import Final

from fastapi import FastAPI, Request

CLOSE: Final = (b"connection", b"close")


class Draining:
    """Whether this process is about to end; told once, by the server that runs it."""

    def __init__(self) -> None:
        self._told = asyncio.Event()
        self._others: list[Draining] = []

    @property
    def has_begun(self) -> bool:
        """Whether new requests should go elsewhere."""
        return self._told.is_set()

    def begin(self) -> None:
        """Say so from now on. To be called in the event loop."""
        self._told.set()
        for other in self._others:
            other.begin()

    def pass_on_to(self, other: "Draining") -> None:
        """Begin that of an application in the same process, too."""
        self._others.append(other)

    async def wait(self) -> None:
        """Return once it has begun: streams without an end of their own end then."""
        await self._told.wait()


def attach_draining(app: FastAPI, draining: Draining) -> None:
    """Let the application's own parts and its server find it."""
    app.state.draining = draining


def draining_of(app: FastAPI) -> Draining:
    """The draining of an application made by `create_part_app`."""
    draining: Draining = app.state.draining
    return draining


async def current_draining(request: Request) -> Draining:
    """The draining of the process that answers, as a dependency."""
    return draining_of(request.app)
