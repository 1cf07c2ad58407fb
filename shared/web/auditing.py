"""What a request leaves in the audit log, by construction: no service has to think of it.

A write that recorded nothing by itself is recorded here: the operation, the object, and for changes
of a resource that can be read, what each field was before and is now. The state before is read
inside the same unit of work but not locked: a service whose objects are changed by many at once
records its changes itself, where it holds the row.
"""

import re
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final
from uuid import UUID

import orjson
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.routing import APIRoute

from shared.audit.trail import SENSITIVE, Actor, AuditEntry, audit_record, differences
from shared.contracts.audit import AuditRecord, AuditSubject
from shared.db.unit_of_work import UnitOfWork
from shared.errors import CareloopError
from shared.security.principal import Principal
from shared.web.answers import PlainAnswer
from shared.web.resources import TELLS_A_SECRET

Handler = Callable[[Request], Awaitable[Response]]
SensitiveIn = Callable[[Sequence[Mapping[str, Any]]], Collection[str]]
_CHANGES: Final = frozenset({"PATCH", "PUT", "DELETE"})
_ID_PARAMETER: Final = re.compile(r"(?:^|_)id$")
_MOST_AGENT: Final = 200


def attach_readable_paths(app: FastAPI, routers: Iterable[APIRouter]) -> None:
    """Let the application's writes find the route that reads what they change."""
    app.state.readable_paths = {
        route.path: route
        for router in routers
        for route in router.routes
        if isinstance(route, APIRoute)
        and "GET" in (route.methods or ())
        and hasattr(route, "answer")
    }


def actor_of(principal: Principal, request: Request, *, action: str) -> Actor:
    """The caller of a request, as the audit log names it."""
    agent = request.headers.get("user-agent")
    return Actor(
        kind=principal.kind.value,
        id=principal.actor_id,
        action=action,
        request_id=principal.request_id,
        client_ip=principal.client_ip or None,
        user_agent=agent[:_MOST_AGENT] if agent else None,
    )


async def answer_and_record(
    request: Request, *, route: APIRoute, uow: UnitOfWork, answer: Handler
) -> Response:
    """Answer a write and see to it that its unit of work tells the audit log."""
    before = await _read(request, route) if request.method in _CHANGES else None
    response = await answer(request)
    # A page tells a refusal as an answer of its own; like any refusal it changed nothing, and who
    # has no valid link must not be able to fill the log of a shop.
    if not uow.has_recorded and response.status_code < HTTPStatus.BAD_REQUEST:
        after = _told(response) or {}
        changes = None
        if before is not None:
            comparable = after.get("id") == before.get("id") and not _tells_a_secret(response)
            now = after if comparable else await _read(request, route)
            changes = differences(before, now or {})
        subjects = _subjects(request, route, before or after)
        known = {subject["id"] for subject in subjects}
        subjects += [each for each in _owners(before, after) if each["id"] not in known]
        outcome = {"status": response.status_code}
        uow.record(AuditEntry(subjects, changes, detail=outcome))
    return response


def record_of_read(
    request: Request, response: Response, *, actor: Actor, at: Any, sensitive_in: SensitiveIn
) -> AuditRecord | None:
    """Which objects' personal data an answer shows, and which sensitive fields; None for none."""
    told = _data_of(response)
    if told is None:
        return None
    subjects = _shown(told) or _subjects(request, request.scope["route"], told)
    detail: dict[str, Any] = {"query": request.url.query} if request.url.query else {}
    if sensitive := sensitive_in(_rows(told)):
        detail[SENSITIVE] = sorted(sensitive)
    return audit_record(actor, AuditEntry(subjects, kind="read", detail=detail), at)


async def _read(request: Request, route: APIRoute) -> dict[str, Any] | None:
    """The resource that a write is about, as its own GET answers it now; None without one."""
    readable: Mapping[str, Any] = getattr(request.app.state, "readable_paths", {})
    reading = readable.get(route.path)
    if reading is None:
        return None
    scope = {**request.scope, "method": "GET", "query_string": b"", "route": reading}
    try:
        response: Response = await reading.answer(Request(scope, _nothing_to_receive))
    except CareloopError:
        return None
    return _told(response)


async def _nothing_to_receive() -> dict[str, Any]:
    return {"type": "http.request", "body": b"", "more_body": False}


def _data_of(response: Response) -> Mapping[str, Any] | None:
    """What an answer tells; as it was made, where that is still known and plain throughout."""
    if isinstance(response, PlainAnswer) and isinstance(response.content, dict):
        rows = response.content.get("data", ())
        if not isinstance(rows, list) or all(isinstance(row, dict) for row in rows):
            return response.content
    return _told(response)


def _told(response: Response) -> dict[str, Any] | None:
    """The JSON object in an answer."""
    body = getattr(response, "body", None)
    media_type = response.headers.get("content-type", "")
    if not body or not media_type.startswith("application/json"):
        return None
    told = orjson.loads(body)
    return told if isinstance(told, dict) else None


def _subjects(request: Request, route: APIRoute, told: Mapping[str, Any]) -> list[AuditSubject]:
    """What a request was about: what it answered with, or what its path names."""
    if isinstance(told.get("id"), str) and isinstance(told.get("object"), str):
        own = [AuditSubject(object=told["object"], id=told["id"])]
    else:
        own = []
    kind = str(route.tags[0]) if route.tags else "resource"
    named = [
        AuditSubject(object=name.removesuffix("_id") if name != "id" else kind, id=str(value))
        for name, value in request.path_params.items()
        if _ID_PARAMETER.search(name) and _is_id(value)
    ]
    seen = {subject["id"] for subject in own}
    return [*own, *(subject for subject in named if subject["id"] not in seen)]


def _owners(*told: Mapping[str, Any] | None) -> list[AuditSubject]:
    """The customers that something is of, or was."""
    found = (_owner(each) for each in told if each is not None)
    ids = dict.fromkeys(str(customer_id) for customer_id in found if customer_id)
    return [AuditSubject(object="customer", id=id_) for id_ in ids]


def _owner(told: Mapping[str, Any]) -> Any:
    if "id" not in told:
        # A token for somebody is no object of theirs: it names whomever the caller has named.
        return None
    shown = told.get("customer")
    return told.get("customer_id") or (shown.get("id") if isinstance(shown, dict) else None)


def _is_id(value: object) -> bool:
    """Whether a path parameter is an id: nothing that opens a door, such as a link's token."""
    if isinstance(value, UUID):
        return True
    try:
        UUID(str(value))
    except ValueError:
        return False
    return True


def _shown(told: Mapping[str, Any]) -> list[AuditSubject]:
    """The objects of an answer, itself or the rows of a page, and the customers they are of."""
    named: dict[str, str] = {}
    for shown in _rows(told):
        if "id" in shown and "object" in shown:
            named[str(shown["id"])] = str(shown["object"])
        if shown.get("customer_id"):
            named[str(shown["customer_id"])] = "customer"
    return [AuditSubject(object=object_, id=id_) for id_, object_ in named.items()]


def _rows(told: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The objects of an answer: the rows of a page, or itself."""
    rows = told.get("data")
    return [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else [told]


def _tells_a_secret(response: Response) -> bool:
    return response.headers.get("cache-control") == TELLS_A_SECRET["Cache-Control"]
