"""How every part's ASGI application is put together."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

from fastapi import APIRouter, FastAPI

from shared.jobs.endpoints import router as jobs_router
from shared.jobs.work import JobKinds
from shared.observability.logging import configure_logging
from shared.observability.tracing import configure_tracing
from shared.part.context import PartContext
from shared.queue.producer import Waker
from shared.stream.relay import RELAY
from shared.web.auditing import attach_readable_paths
from shared.web.context import attach_context
from shared.web.draining import Draining, attach_draining
from shared.web.health import router as health_router
from shared.web.middleware import RequestMiddleware
from shared.web.problems import install_problem_handlers, problem_schemas
from shared.web.sse import OpenStreams, attach_open_streams


def create_part_app(
    context: PartContext[Any],
    *,
    title: str,
    description: str,
    routers: Sequence[APIRouter],
    openapi_url: str | None = "/openapi.json",
    close: Sequence[Callable[[], Awaitable[None]]] = (),
    job_kinds: JobKinds | None = None,
) -> FastAPI:
    """An application that answers `routers` for one part, and wakes the relay after commits.

    `job_kinds` are what clients may stop and have done again. When it ends it awaits `close`,
    while its connections are still open.
    """
    settings = context.settings
    waker = Waker(context.queue, part=settings.part, function=RELAY)
    context.units.announce_events_to(waker.wake)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        configure_logging(level=settings.log_level, style=settings.log_format, part=settings.part)
        configure_tracing(part=settings.part, endpoint=settings.otlp_endpoint)
        yield
        await waker.drain()
        for end in close:
            await end()
        await context.close()

    app = FastAPI(
        title=title,
        description=description,
        version="1",
        lifespan=lifespan,
        openapi_url=openapi_url,
        docs_url=None,
        redoc_url=None,
        separate_input_output_schemas=False,
        # Spans and figures are the outermost ring's, once per request (middleware.py).
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    draining = Draining()
    attach_context(app, context)
    attach_draining(app, draining)
    attach_open_streams(app, OpenStreams(most=settings.streams_per_shop))
    attach_readable_paths(app, routers)
    app.state.job_kinds = job_kinds or JobKinds()
    install_problem_handlers(app)
    app.add_middleware(
        RequestMiddleware,
        part=settings.part,
        access_log=settings.access_log,
        draining=draining,
        seconds=settings.request_seconds,
    )
    # The routes themselves: they have their whole paths, and an included router is one more place
    # to look into for each request.
    for router in (health_router, jobs_router, *routers):
        app.router.routes.extend(router.routes)
    _describe_problems(app)
    return app


def _describe_problems(app: FastAPI) -> None:
    """Put the schema that every error response refers to into the OpenAPI document."""
    generate = app.openapi

    def openapi() -> dict[str, Any]:
        if app.openapi_schema is None:
            document = generate()
            schemas = document.setdefault("components", {}).setdefault("schemas", {})
            schemas.update(problem_schemas())
            return document
        return app.openapi_schema

    app.openapi = openapi  # type: ignore[method-assign]
