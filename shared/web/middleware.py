"""The outermost ring of every application: request id, trace, log line, metrics, last resort."""

import re
import time

import structlog
from opentelemetry import trace
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import CareloopError
from shared.ids import new_id
from shared.observability.metrics import HTTP_REQUESTS, HTTP_SECONDS
from shared.observability.tracing import parent_of, tracing_enabled
from shared.web.draining import CLOSE, Draining
from shared.web.problems import REQUEST_ID_HEADER, problem_response

_log = structlog.get_logger("careloop.http")
_SERVED = "careloop.served"
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestMiddleware:
    """Gives each request its id, tells how it went, and lets no exception reach the server."""

    def __init__(self, app: ASGIApp, *, part: str, access_log: bool, draining: Draining) -> None:
        self._app = app
        self._draining = draining
        self._part = part
        self._access_log = access_log
        self._seconds = HTTP_SECONDS.labels(part)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass through.

        In one process a request goes through the gateway's application and a service's: the outer
        one has done all this.
        """
        if scope["type"] != "http" or _SERVED in scope:
            await self._app(scope, receive, send)
            return
        scope[_SERVED] = True
        if tracing_enabled():
            await self._traced(scope, receive, send)
        else:
            await self._serve(scope, receive, send)

    async def _traced(self, scope: Scope, receive: Receive, send: Send) -> None:
        carrier = dict(Headers(scope=scope))
        tracer = trace.get_tracer("careloop")
        name = f"{scope['method']} {scope['path']}"
        with tracer.start_as_current_span(name, context=parent_of(carrier)):
            await self._serve(scope, receive, send)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started = time.perf_counter()
        request_id = _request_id(scope)
        status = 500
        began = ended = False

        async def tell(message: Message) -> None:
            nonlocal status, began, ended
            if message["type"] == "http.response.start":
                status, began = message["status"], True
                MutableHeaders(scope=message)[REQUEST_ID_HEADER] = request_id
                if self._draining.has_begun:
                    message["headers"].append(CLOSE)
            await send(message)
            ended = message["type"] == "http.response.body" and not message.get("more_body")

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            try:
                await self._app(scope, receive, tell)
            except Exception as error:
                _log.exception(
                    "request_crashed", path=_loggable(scope["path"]), error=type(error).__name__
                )
                if began and not ended:
                    raise
                if not began:
                    await problem_response(CareloopError(), request_id=request_id)(
                        scope, receive, tell
                    )
            seconds = time.perf_counter() - started
            self._seconds.observe(seconds)
            HTTP_REQUESTS.labels(self._part, scope["method"], str(status)).inc()
            if self._access_log:
                _log.info(
                    "request_answered",
                    method=scope["method"],
                    path=_loggable(scope["path"]),
                    status=status,
                    ms=round(seconds * 1000, 2),
                )


def _request_id(scope: Scope) -> str:
    """The caller's request id when it is sane, else a new one; put into the scope's headers."""
    name = REQUEST_ID_HEADER.encode()
    headers: list[tuple[bytes, bytes]] = list(scope["headers"])
    for key, value in headers:
        if key == name and _REQUEST_ID.fullmatch(value):
            return value.decode()
    request_id: str = new_id().hex
    scope["headers"] = [h for h in headers if h[0] != name] + [(name, request_id.encode())]
    return request_id


def _loggable(path: str) -> str:
    """The path without the token of a link, which is a credential."""
    if path.startswith("/pages/"):
        return f"{path.rpartition('/')[0]}/***"
    return path


def header(scope: Scope, name: bytes) -> bytes | None:
    """The first header of that (lower-case) name."""
    headers: list[tuple[bytes, bytes]] = scope["headers"]
    return next((value for key, value in headers if key == name), None)
