"""Who sees personal data in full, and that it is known afterwards who did."""

from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from shared.pii import PII_READ, MaskPlan
from shared.security.principal import Principal, PrincipalKind
from shared.web.auditing import actor_of, record_of_read
from shared.web.context import context_of

# Shoppers see their own data and nobody else's; the others act for the shop.
_FOR_THE_SHOP: Final = frozenset({PrincipalKind.STAFF, PrincipalKind.API_KEY})


class PersonalData:
    """What the answers of one route show of people, by the marks in its response schema."""

    def __init__(self, route: APIRoute) -> None:
        self._route = route
        self._plan = _plan_of(route)

    async def guard(self, request: Request, response: Response, principal: Principal) -> Response:
        """The answer as this caller may see it.

        Without `pii:read` it is masked; with it, a read is in the audit log before it leaves.
        """
        if self._plan.is_empty or principal.kind not in _FOR_THE_SHOP:
            return response
        if PII_READ not in principal.scopes:
            return self._masked(response)
        if request.method == "GET":
            await self._record(request, response, principal)
        return response

    def _masked(self, response: Response) -> Response:
        if not _is_json(response):
            return response
        body = orjson.dumps(self._plan.apply(orjson.loads(response.body)))
        headers = {
            name: value for name, value in response.headers.items() if name != "content-length"
        }
        return Response(body, response.status_code, headers)

    async def _record(self, request: Request, response: Response, principal: Principal) -> None:
        if not _is_json(response):
            return
        context = context_of(request)
        action = self._route.operation_id or self._route.name
        actor = actor_of(principal, request, action=action)
        record = record_of_read(request, response, actor=actor, at=context.clock.now())
        if record is not None and record.subjects:
            await context.reads.record(principal.tenant_id, record)


def _is_json(response: Response) -> bool:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return is_json and bool(getattr(response, "body", b""))


def _plan_of(route: APIRoute) -> MaskPlan:
    model: Any = route.response_model
    if model is None:
        return MaskPlan({})
    return MaskPlan(TypeAdapter(model).json_schema(mode="serialization"))
