"""The one public door: who is it, may this pass, whose is it. The hot path of every request.

It stands between the outermost ring (request id, log line) and the gateway's own endpoints.
"""

from collections.abc import Mapping
from typing import Final

import structlog
from starlette.types import ASGIApp, Receive, Scope, Send

from gateway.access.client_address import ClientAddresses
from gateway.access.identity import SESSION, Identity
from gateway.access.scopes import PUBLIC_PAGES
from gateway.door.authenticator import Authenticator
from gateway.door.cross_origin import cross_origin_headers, is_preflight, preflight_answer
from gateway.door.jobs import JobFinder
from gateway.door.limits import bounded, check_json, check_target, is_upload
from gateway.door.security_headers import SecurityHeaders
from gateway.hooks.endpoints import take_delivery
from gateway.limits.policies import RequestLimits
from gateway.upstreams.headers import PRINCIPAL, RawHeaders, passing_headers, traced_headers
from gateway.upstreams.owners import EVERYBODY, GATEWAY, owner_of
from gateway.upstreams.upstream import Upstream
from shared.db.failures import is_conflict, is_outage
from shared.errors import CareloopError, NotFound, Unauthenticated, Unavailable
from shared.observability.tracing import tracing_enabled
from shared.security.link_tokens import claimed_tenant
from shared.security.principal import PrincipalKind, PrincipalTokens
from shared.web.middleware import header
from shared.web.problems import REQUEST_ID_HEADER, problem_response
from shared.web.served import name_route, name_route_of

_log = structlog.get_logger(__name__)
_REQUEST_ID: Final = REQUEST_ID_HEADER.encode()
_API: Final = "/v1/"
_HOOKS: Final = "/v1/hooks/"
_HOOK_ROUTE: Final = "/v1/hooks/{platform}/{connection_id}"
_PAGES: Final = "/pages/"
_PROBES: Final = frozenset({"/healthz", "/readyz", "/metrics"})
# Who asks for these has no credential yet; what they send is the credential.
_OPEN: Final = frozenset(
    {"/v1/auth/login", "/v1/auth/login/second-factor", "/v1/auth/refresh", "/v1/auth/logout"}
    | {"/v1/auth/password-resets", "/v1/auth/password-resets/confirm"}
)


class Door:
    """Lets requests in, as the middleware of the gateway's own application."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        upstreams: Mapping[str, Upstream],
        authenticator: Authenticator,
        principals: PrincipalTokens,
        addresses: ClientAddresses,
        limits: RequestLimits,
        security_headers: SecurityHeaders,
        max_body_bytes: int,
        max_hook_bytes: int,
        max_upload_bytes: int,
        body_seconds: float,
        upload_seconds: float,
    ) -> None:
        self._app = app
        self._upstreams = upstreams
        self._authenticator = authenticator
        self._principals = principals
        self._addresses = addresses
        self._limits = limits
        self._security_headers = security_headers
        self._max_body_bytes = max_body_bytes
        self._max_hook_bytes = max_hook_bytes
        self._max_upload_bytes = max_upload_bytes
        self._body_seconds = body_seconds
        self._upload_seconds = upload_seconds
        self._jobs = JobFinder(app, upstreams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request; other protocols are the application's."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        more: RawHeaders = []
        guarded = self._security_headers.on(scope["path"], send, more)
        try:
            # From here on `request.client` is who asks, not the proxy in front of us.
            scope["client"] = (self._addresses.of(scope), 0)
            check_target(scope)
            await self._admit(scope, receive, guarded, more)
        except Exception as error:
            told = _told(error)
            if told is None:
                raise
            request_id = _request_id(scope)
            await problem_response(told, request_id=request_id)(scope, receive, guarded)

    async def _admit(self, scope: Scope, receive: Receive, send: Send, more: RawHeaders) -> None:
        """Let a request in; what its answer is to say is added to `more` as it becomes known."""
        path: str = scope["path"]
        address: str = scope["client"][0]
        if path.startswith(_HOOKS):
            more += self._limits.admit_hook(address)
            receive = await self._bounded(scope, receive, self._max_hook_bytes)
            if scope["method"] == "POST" and path.count("/") == 4:
                name_route(scope, _HOOK_ROUTE)
                await take_delivery(scope, receive, send)
            else:
                await self._pass(self._app, scope, receive, send, None)
        elif path.startswith(_API):
            if is_preflight(scope):
                more += self._limits.admit_stranger(address)
                await preflight_answer(scope)(scope, receive, send)
            else:
                await self._admit_to_api(scope, receive, send, more)
        elif path.startswith(_PAGES):
            more += self._limits.admit_visitor(address)
            receive = await self._bounded(scope, receive, self._max_body_bytes)
            await self._pass(self._app_of(path), scope, receive, send, _visitor(path))
        else:
            if path not in _PROBES:
                more += self._limits.admit_visitor(address)
            receive = await self._bounded(scope, receive, self._max_body_bytes)
            await self._pass(self._app, scope, receive, send, None)

    async def _admit_to_api(
        self, scope: Scope, receive: Receive, send: Send, more: RawHeaders
    ) -> None:
        path: str = scope["path"]
        address: str = scope["client"][0]
        app = self._app_of(path)
        caller = None
        if path in _OPEN:
            more += self._limits.admit_stranger(address)
        else:
            caller = await self._identify(scope, address)
            more += cross_origin_headers(caller, scope)
            more += self._limits.admit(caller, address)
            if app is self._app:
                scope[SESSION] = caller.session_id
        check_json(scope)
        if is_upload(scope):
            seconds = self._upload_seconds
            receive = await bounded(scope, receive, self._max_upload_bytes, seconds=seconds)
        else:
            receive = await self._bounded(scope, receive, self._max_body_bytes)
        await self._pass(app, scope, receive, send, caller)

    async def _identify(self, scope: Scope, address: str) -> Identity:
        """Whose request it is. Raises Unauthenticated, or RateLimited after too many of those."""
        try:
            authorization = header(scope, b"authorization")
            return await self._authenticator.identify(authorization, address)
        except Unauthenticated:
            self._limits.admit_stranger(address)
            raise

    async def _bounded(self, scope: Scope, receive: Receive, limit: int) -> Receive:
        return await bounded(scope, receive, limit, seconds=self._body_seconds)

    def _app_of(self, path: str) -> ASGIApp:
        owner = owner_of(path)
        if owner is None:
            raise NotFound("There is nothing at this path")
        if owner == GATEWAY:
            return self._app
        if owner == EVERYBODY:
            return self._jobs
        upstream = self._upstreams.get(owner)
        if upstream is None:
            _log.error("upstream_missing", upstream=owner)
            raise Unavailable
        return upstream.handle

    async def _pass(
        self, app: ASGIApp, scope: Scope, receive: Receive, send: Send, caller: Identity | None
    ) -> None:
        headers = passing_headers(scope["headers"])
        if caller is not None:
            principal = caller.principal(_request_id(scope), scope["client"][0])
            token = self._principals.mint(principal)
            headers.append((PRINCIPAL, token.encode()))
        if tracing_enabled():
            headers = traced_headers(headers)
        inner = {**scope, "headers": headers}
        _name_family(scope)
        await app(inner, receive, send)
        name_route_of(inner)


def _name_family(scope: Scope) -> None:
    """What is measured of a request that another process routes: whose it is, and of which kind."""
    path: str = scope["path"]
    if owner_of(path) is not None:
        _, area, word = path.split("/", 3)[:3]
        name_route(scope, f"/{area}/{word.partition(':')[0]}/…")


def _visitor(path: str) -> Identity:
    """Somebody who opened a link: the tenant is the one that the link's token claims.

    An ending (`.ics`) tells programs what the link leads to, and is not of the token.
    """
    tenant_id = claimed_tenant(path.rsplit("/", 1)[1].partition(".")[0])
    return Identity(tenant_id, PrincipalKind.PUBLIC, "visitor", frozenset({PUBLIC_PAGES}))


def _told(error: Exception) -> CareloopError | None:
    """What a caller is told of an error; None when all there is to say is that we failed."""
    if isinstance(error, CareloopError):
        return error
    if is_outage(error) or is_conflict(error):
        _log.warning("database_unavailable", error=type(error).__name__)
        return Unavailable(headers={"Retry-After": "1"})
    return None


def _request_id(scope: Scope) -> str:
    return (header(scope, _REQUEST_ID) or b"").decode("latin-1")
