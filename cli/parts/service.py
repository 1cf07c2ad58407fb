"""What the composition needs to know of a service."""

from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI

from shared.part.context import PartContext
from shared.queue.worker import PartWorker
from shared.settings import PartSettings
from shared.stream.handlers import EventHandlers


class _CreateApp(Protocol):
    def __call__(self, settings: Any) -> FastAPI: ...


class _BuildWorker(Protocol):
    def __call__(self, settings: Any) -> PartWorker: ...


class _BuildHandlers(Protocol):
    def __call__(self, context: PartContext[Any]) -> EventHandlers: ...


@dataclass(frozen=True, slots=True)
class Service:
    """One of the services behind the gateway."""

    settings: type[PartSettings]
    create_app: _CreateApp
    build_worker: _BuildWorker
    build_handlers: _BuildHandlers
