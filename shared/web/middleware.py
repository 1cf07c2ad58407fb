"""The outermost ring of every application: request id, trace, log line, metrics, last resort."""

import re
import time

import structlog
from opentelemetry.trace import SpanKind
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared.errors import CareloopError
from shared.ids import new_id
from shared.observability.metrics import HTTP_REQUESTS, HTTP_SECONDS
from shared.observability.tracing import spanning, tracing_enabled
from shared.web.deadlines import ClientGone, Deadline, DeadlineExceeded
from shared.web.draining import CLOSE, Draining
from shared.web.problems import REQUEST_ID_HEADER, problem_response
from shared.web.served import Served, begin_serving, name_route_of

_log = structlog.get_logger("careloop.http")
# What nginx writes into its log for the same; no client ever sees it.
_CLIENT_GONE = 499
_REQUEST_ID = re.compile(rb"[A-Za-z0-9._-]{1,64}")


class RequestMiddleware:
    """Gives each request its id, tells how it went, and lets no exception reach the server."""

    def __init__(
        self, app: ASGIApp, *, part: str, access_log: bool, draining: Draining, seconds: float
    ) -> None:
        self._app = app
        self._deadline = Deadline(app, seconds=seconds)
        self._draining = draining
        self._part = part
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; other protocols pass through.

        In one process a request goes through the gateway's application and a service's: the outer
        one has done all this.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        served = begin_serving(scope)
        if served is None:
            with spanning(self._part, f"{scope['method']} in process"):
                await self._app(scope, receive, send)
        elif tracing_enabled():
            await self._traced(scope, receive, send, served)
        else:
            await self._serve(scope, receive, send, served)

    async def _traced(self, scope: Scope, receive: Receive, send: Send, served: Served) -> None:
        carrier, method = dict(Headers(scope=scope)), scope["method"]
        with spanning(self._part, method, kind=SpanKind.SERVER, parent=carrier) as span:
            status = await self._serve(scope, receive, send, served)
            # The path itself may hold a credential or an address.
            span.update_name(f"{method} {served.route}")
            span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": served.route,
                    "http.response.status_code": status,
                }
            )

    async def _serve(self, scope: Scope, receive: Receive, send: Send, served: Served) -> int:
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
                await self._deadline.serve(scope, receive, tell)
            except ClientGone:
                status = _CLIENT_GONE
            except DeadlineExceeded as error:
                _log.warning("deadline_exceeded", path=_loggable(scope["path"]))
                await problem_response(error, request_id=request_id)(scope, receive, tell)
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
            name_route_of(scope)
            HTTP_SECONDS.labels(self._part, scope["method"], served.route).observe(seconds)
            labels = (self._part, scope["method"], served.route, str(status))
            HTTP_REQUESTS.labels(*labels).inc()
            if self._access_log:
                _log.info(
                    "request_answered",
                    method=scope["method"],
                    path=_loggable(scope["path"]),
                    status=status,
                    ms=round(seconds * 1000, 2),
                )
        return status


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
