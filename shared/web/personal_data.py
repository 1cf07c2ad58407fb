"""Who sees personal data in full, and that it is known afterwards who did."""

from functools import cache, cached_property
from typing import Any, Final

import orjson
from fastapi import Request, Response
from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from shared.db.unit_of_work import UnitOfWork
from shared.pii import NO_MARKS, PII_READ, FieldMarks, MaskPlan
from shared.security.principal import Principal, PrincipalKind
from shared.web.auditing import actor_of, record_of_read
from shared.web.context import context_of
from shared.web.field_marks import field_marks_of

# Shoppers see their own data and nobody else's; the others act for the shop.
_FOR_THE_SHOP: Final = frozenset({PrincipalKind.STAFF, PrincipalKind.API_KEY})


class PersonalData:
    """What the answers of one route show of people, by the marks in its response schema."""

    def __init__(self, route: APIRoute) -> None:
        self._route = route

    @cached_property
    def _plan(self) -> MaskPlan:
        """Found out by the first answer: most processes answer by few of their routes."""
        return _plan_of(self._route.response_model)

    async def look(self, request: Request, uow: UnitOfWork, principal: Principal) -> None:
        """Learn within the work of the answer which fields the shop has marked itself.

        After the answer was made: what was marked before is masked, however short before.
        """
        known = field_marks_of(request)
        if known is None or not self._plan.asks_for_marks or principal.kind not in _FOR_THE_SHOP:
            return
        if PII_READ not in principal.scopes:
            request.state.field_marks = await known.now(uow)
        elif request.method == "GET":
            request.state.field_marks = await known.lately(uow)

    async def guard(self, request: Request, response: Response, principal: Principal) -> Response:
        """The answer as this caller may see it.

        Without `pii:read` it is masked; with it, a read is in the audit log before it leaves.
        """
        if self._plan.is_empty or principal.kind not in _FOR_THE_SHOP:
            return response
        if PII_READ not in principal.scopes:
            return await self._masked(request, response, principal)
        if request.method == "GET":
            await self._record(request, response, principal)
        return response

    async def _masked(self, request: Request, response: Response, principal: Principal) -> Response:
        if not _is_json(response):
            return response
        marks = await self._marks(request, principal)
        body = orjson.dumps(self._plan.apply(orjson.loads(response.body), marks))
        headers = {
            name: value for name, value in response.headers.items() if name != "content-length"
        }
        return Response(body, response.status_code, headers)

    async def _marks(self, request: Request, principal: Principal) -> FieldMarks | None:
        """The shop's marks; None where nobody knows them, and then none of its fields is shown."""
        known = field_marks_of(request)
        if known is None or not self._plan.asks_for_marks:
            return None
        seen: FieldMarks | None = getattr(request.state, "field_marks", None)
        if seen is not None:
            return seen
        # An answer that was kept is told again: nobody has looked this time.
        async with context_of(request).units.begin(principal.tenant_id) as uow:
            return await known.now(uow)

    async def _record(self, request: Request, response: Response, principal: Principal) -> None:
        if not _is_json(response):
            return
        context = context_of(request)
        action = self._route.operation_id or self._route.name
        actor = actor_of(principal, request, action=action)
        marks: FieldMarks = getattr(request.state, "field_marks", NO_MARKS)
        record = record_of_read(
            request,
            response,
            actor=actor,
            at=context.clock.now(),
            sensitive_in=lambda rows: self._plan.sensitive_in(rows, marks),
        )
        if record is not None and record.subjects:
            await context.reads.record(principal.tenant_id, record)


def _is_json(response: Response) -> bool:
    is_json = response.headers.get("content-type", "").startswith("application/json")
    return is_json and bool(getattr(response, "body", b""))


@cache
def _plan_of(model: Any) -> MaskPlan:
    return MaskPlan({} if model is None else TypeAdapter(model).json_schema(mode="serialization"))
