"""The edge of a part: one request = one principal = one unit of work = one commit.

Order of things: the principal is verified and its scopes checked before the body is parsed; the
unit of work commits after the endpoint has answered and before the first byte leaves. A unit of
work that lost a conflict with concurrent work is run again as a whole.
"""

from collections.abc import Callable, Coroutine, Sequence
from functools import cached_property
from typing import Annotated, Any

import structlog
from fastapi import APIRouter, Depends, Request, Response
from fastapi.routing import APIRoute

from shared.db.failures import (
    again_on_conflict,
    is_conflict,
    is_outage,
    is_refused_write,
    is_unstorable_text,
)
from shared.db.unit_of_work import UnitOfWork
from shared.errors import CareloopError, Invalid, Unavailable
from shared.security.principal import PRINCIPAL_HEADER, Principal, PrincipalKind
from shared.web.auditing import actor_of, answer_and_record
from shared.web.context import context_of
from shared.web.deprecation import announcing, deprecation_of
from shared.web.idempotency import IDEMPOTENCY_HEADER, answer_once
from shared.web.marks import RouteMark, marks_of, sorted_out
from shared.web.methods import refuse_wrong_method
from shared.web.personal_data import PersonalData
from shared.web.problems import problem_responses
from shared.web.queries import KnownParameters, query_parameters
from shared.web.strict_json import StrictRequest

Handler = Callable[[Request], Coroutine[Any, Any, Response]]
_log = structlog.get_logger(__name__)


class RequiredScopes(RouteMark):
    """Marks a route with the scopes it needs; `UnitOfWorkRoute` enforces them."""

    def __init__(self, scopes: tuple[str, ...], shopper: str | None = None) -> None:
        self.scopes = scopes
        self.shopper = shopper


def requires(*scopes: str, shopper: str | None = None) -> Any:
    """A route dependency that declares the scopes a caller needs.

    A route that names a `shopper` scope is open to shoppers too, who need that scope instead; it
    must itself keep to what belongs to `principal.customer_id`.
    """
    return Depends(RequiredScopes(scopes, shopper))


def scopes_of(route: APIRoute) -> tuple[str, ...]:
    """The scopes that a route declares."""
    return tuple(scope for mark in marks_of(route, RequiredScopes) for scope in mark.scopes)


def shopper_scopes_of(route: APIRoute) -> tuple[str, ...]:
    """The scopes that let a shopper use a route; empty when it is not meant for shoppers."""
    declared = marks_of(route, RequiredScopes)
    return tuple(mark.shopper for mark in declared if mark.shopper)


class UnitOfWorkRoute(APIRoute):
    """A route whose endpoint runs inside the unit of work of the caller's tenant."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        self.marks, options["dependencies"] = sorted_out(options.get("dependencies") or ())
        super().__init__(path, endpoint, **options)
        self.required_scopes = scopes_of(self)
        self.shopper_scopes = shopper_scopes_of(self)
        self.openapi_extra = {
            **(self.openapi_extra or {}),
            "x-required-scopes": list(self.required_scopes),
        }
        if parameters := query_parameters(self.dependant):
            own = self.openapi_extra.get("parameters", [])
            self.openapi_extra["parameters"] = [*parameters, *own]
        if self.shopper_scopes:
            self.openapi_extra["x-shopper-scopes"] = list(self.shopper_scopes)
        if deprecation_of(self) is not None:
            self.deprecated = True

    @cached_property
    def known_parameters(self) -> KnownParameters:
        """What it can be asked in its query; known when all of it has been put together."""
        return KnownParameters(self)

    def get_route_handler(self) -> Handler:
        """The framework's handler, wrapped in principal, unit of work and idempotency."""
        self.answer = super().get_route_handler()
        required, of_shoppers = scopes_of(self), shopper_scopes_of(self)
        personal = self.personal = PersonalData(self)

        async def handle(request: Request) -> Response:
            request = StrictRequest.of(request)
            context = context_of(request)
            principal = context.principals.verify(request.headers.get(PRINCIPAL_HEADER))
            refuse_wrong_method(request)
            is_shopper = principal.kind is PrincipalKind.SHOPPER
            principal.require(of_shoppers if is_shopper and of_shoppers else required)
            structlog.contextvars.bind_contextvars(
                tenant=principal.tenant_id.hex, actor=principal.actor_id
            )
            request.state.principal = principal
            # Links to pages are lengthened by whoever passes them on.
            if not self.path.startswith("/pages/"):
                self.known_parameters.check(request)
            try:
                response = await again_on_conflict(
                    lambda: self._in_unit_of_work(request),
                    while_possible=lambda: _can_be_read_again(request),
                )
                return await personal.guard(request, response, principal)
            except Exception as error:
                told = _told(error, request)
                if told is None:
                    raise
                raise told from error

        return announcing(self, handle)

    async def _in_unit_of_work(self, request: Request) -> Response:
        """Answer inside a new unit of work and commit it. Raises whatever undid the work."""
        principal: Principal = request.state.principal
        is_read = request.method == "GET"
        units = context_of(request).units
        async with units.begin(principal.tenant_id, reads_only=is_read) as uow:
            request.state.unit_of_work = uow
            uow.act_for(actor_of(principal, request, action=self.operation_id or self.name))
            if is_read:
                response = await self.answer(request)
                await self.personal.look(request, uow, principal)
                await uow.commit()
                return response

            async def write(request: Request) -> Response:
                response = await answer_and_record(request, route=self, uow=uow, answer=self.answer)
                await self.personal.look(request, uow, principal)
                return response

            if IDEMPOTENCY_HEADER not in request.headers:
                response = await write(request)
                await uow.commit()
                return response
            return await answer_once(request, principal=principal, uow=uow, answer=write)


def _can_be_read_again(request: Request) -> bool:
    """Whether the body is in memory, or was not touched; uploads are read only once."""
    in_memory = hasattr(request, "_body") and request._form is None
    return in_memory or not request._stream_consumed


def _told(error: Exception, request: Request) -> CareloopError | None:
    """What a client is told of an error when there is more to say than that we failed."""
    if isinstance(error, CareloopError) or (request.method == "GET" and is_refused_write(error)):
        return None
    if is_conflict(error) or is_outage(error):
        _log.warning("database_unavailable", error=repr(error)[:300])
        return Unavailable(headers={"Retry-After": "1"})
    if is_unstorable_text(error):
        return Invalid("A text holds the character NUL, which cannot be kept")
    return None


async def current_principal(request: Request) -> Principal:
    """The caller of this request."""
    principal: Principal = request.state.principal
    return principal


async def current_unit_of_work(request: Request) -> UnitOfWork:
    """The unit of work of this request; its route commits it."""
    uow: UnitOfWork = request.state.unit_of_work
    return uow


PrincipalDep = Annotated[Principal, Depends(current_principal)]
UnitOfWorkDep = Annotated[UnitOfWork, Depends(current_unit_of_work)]


def service_router(*, prefix: str, tag: str, dependencies: Sequence[Any] = ()) -> APIRouter:
    """A router whose every route is a `UnitOfWorkRoute` with the common errors documented.

    `dependencies` are those of each of its routes.
    """
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        dependencies=dependencies,
        route_class=UnitOfWorkRoute,
        responses=problem_responses(401, 403, 404, 409, 412, 422, 503),
    )
