"""The only place where all parts meet in one process.

A part is loaded when it is needed: a process of one part starts in half the time, and that is how
long it is missed when it is restarted.
"""

from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from fastapi import FastAPI

from cli.parts.service import Service
from shared.part.context import PartContext
from shared.queue.worker import PartWorker
from shared.settings import SCHEMAS, SERVICES, PartSettings
from shared.stream.handlers import EventHandlers

PARTS = SCHEMAS


def settings_of(part: str, **given: Any) -> PartSettings:
    """A part's settings from the environment. Raises KeyError for an unknown part."""
    if part == "gateway":
        from gateway.settings import GatewaySettings  # noqa: PLC0415

        return GatewaySettings(**given)
    return _service(part).settings(**given)


def handlers_of(part: str, context: PartContext[Any]) -> EventHandlers:
    """What a part does with events. Raises KeyError for an unknown part."""
    if part == "gateway":
        from gateway.handlers import build_handlers  # noqa: PLC0415

        return build_handlers(context)
    return _service(part).build_handlers(context)


def all_in_one() -> FastAPI:
    """The gateway with the four services in the same process."""
    from cli.parts import gateway  # noqa: PLC0415

    # One line in the log for one request: the gateway's.
    return gateway.in_one_process(
        {name: _service(name).create_app(settings_of(name, access_log=False)) for name in SERVICES}
    )


def single_part(part: str) -> FastAPI:
    """One part as a process of its own; the gateway reaches the services over HTTP."""
    if part != "gateway":
        return _service(part).create_app(settings_of(part))
    from cli.parts import gateway  # noqa: PLC0415

    return gateway.over_http(SERVICES)


def workers(parts: Sequence[str] = PARTS) -> list[PartWorker]:
    """The workers of `parts`."""
    return [_worker(part) for part in parts]


def _worker(part: str) -> PartWorker:
    if part == "gateway":
        from cli.parts import gateway  # noqa: PLC0415

        return gateway.worker()
    return _service(part).build_worker(settings_of(part))


@cache
def _service(name: str) -> Service:
    """Load a service. Raises KeyError when there is none of this name."""
    if name not in SERVICES:
        raise KeyError(name)
    service: Service = import_module(f"cli.parts.{name}").SERVICE
    return service
