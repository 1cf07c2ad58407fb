"""Every door of the house, and who may pass it."""

import inspect
from collections import Counter

import pytest

from gateway.access.scopes import (
    GRANTABLE,
    LOYALTY_OWN,
    PRIVACY_OWN,
    PUBLIC_PAGES,
    REVIEWS_OWN,
    TENANTS_WRITE,
    TICKETS_OWN,
)
from shared.settings import SCHEMAS
from shared.web.routing import UnitOfWorkRoute, scopes_of
from tests.architecture.parts import app_of, operations_of

# Who may have which scope is the gateway's to say; nobody could use an operation with another.
SCOPES = (
    GRANTABLE
    | {LOYALTY_OWN, PRIVACY_OWN, REVIEWS_OWN, TICKETS_OWN}
    | {
        PUBLIC_PAGES,
        TENANTS_WRITE,
    }
)
# Operations that check no principal; each with its reason.
PUBLIC = {
    "GET /healthz": "is the process alive",
    "GET /readyz": "can it work",
    "GET /metrics": "not passed on by the gateway",
    "POST /v1/hooks/{platform}/{connection_id}": "signed with the secret of the connection",
    "GET /v1/hooks/{platform}/{connection_id}": "a platform asks whether it may deliver here",
    "POST /v1/auth/login": "proves who it is with a password",
    "POST /v1/auth/login/second-factor": "proves who it is with a password and a code",
    "POST /v1/auth/password-resets": "asks for a mail to whoever has the address",
    "POST /v1/auth/password-resets/confirm": "proves who it is with the link of that mail",
    "POST /v1/auth/refresh": "proves who it is with a refresh token",
    "POST /v1/auth/logout": "ends what the refresh token that it carries has begun",
    "GET /openapi.json": "the document",
    "GET /docs": "the document for people",
    "GET /docs/start.js": "the document for people",
}
# Operations that every principal may use.
UNSCOPED = {
    "GET /v1/auth/me": "who am I",
    "GET /v1/auth/sessions": "one's own",
    "DELETE /v1/auth/sessions": "one's own",
    "DELETE /v1/auth/sessions/{session_id}": "one's own",
    "PUT /v1/auth/password": "one's own",
    "GET /v1/auth/second-factor": "one's own",
    "POST /v1/auth/second-factor": "one's own",
    "POST /v1/auth/second-factor/confirm": "one's own",
    "POST /v1/auth/second-factor/recovery-codes": "one's own",
    "POST /v1/auth/second-factor/disable": "one's own",
}


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_operation_says_what_it_needs(schema: str):
    guarded = {name: route for name, route in operations_of(schema) if name not in PUBLIC}
    assert guarded, "nothing but health"
    unguarded = [name for name, r in guarded.items() if not isinstance(r, UnitOfWorkRoute)]
    assert unguarded == []
    needed = {name: set(scopes_of(route)) for name, route in guarded.items()}
    assert [name for name, scopes in needed.items() if not scopes] == [
        name for name in needed if name in UNSCOPED
    ]
    unknown = set().union(*needed.values()) - SCOPES
    assert unknown == set()


def test_every_exception_is_needed():
    names = {name for schema in SCHEMAS for name, _ in operations_of(schema)}
    assert (PUBLIC.keys() | UNSCOPED.keys()) - names == set()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_operation_is_described(schema: str):
    """Client generators name their functions by the id; the docstring is API text."""
    bare = [
        name
        for name, route in operations_of(schema)
        if route.include_in_schema and not (route.operation_id and route.description)
    ]
    assert bare == []


def test_operation_ids_are_unique_in_the_house():
    """The jobs of all parts are one resource to a client."""
    counted = Counter(
        route.operation_id
        for schema in SCHEMAS
        for name, route in operations_of(schema)
        if route.operation_id and "/v1/jobs" not in name
    )
    assert [name for name, count in counted.items() if count > 1] == []


@pytest.mark.parametrize("schema", SCHEMAS)
def test_dependencies_stay_out_of_the_thread_pool(schema: str):
    """A synchronous dependency costs more than the query it stands for."""
    synchronous = {
        f"{name}: {dependency.call}"
        for name, route in operations_of(schema)
        for dependency in _all_dependencies(route.dependant)
        if not inspect.iscoroutinefunction(dependency.call)
        and not inspect.iscoroutinefunction(type(dependency.call).__call__)
        and not inspect.isasyncgenfunction(dependency.call)
    }
    assert synchronous == set()


@pytest.mark.parametrize("schema", SCHEMAS)
def test_bodies_refuse_what_they_do_not_know(schema: str):
    """A misspelt field must not be dropped in silence."""
    document = app_of(schema).openapi()
    schemas = document["components"]["schemas"]
    loose = [
        f"{path} {method}: {name}"
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        for name in _json_body_schemas(operation, schemas)
        if schemas[name].get("type") == "object"
        and schemas[name].get("additionalProperties") is not False
    ]
    assert loose == []


def _all_dependencies(dependant):
    for dependency in dependant.dependencies:
        yield dependency
        yield from _all_dependencies(dependency)


def _json_body_schemas(operation, schemas) -> set[str]:
    found: set[str] = set()
    content = operation.get("requestBody", {}).get("content", {})
    waiting = [content.get("application/json", {})]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            reference = part.get("$ref", "")
            name = reference.rsplit("/", 1)[-1]
            if reference and name not in found:
                found.add(name)
                waiting.append(schemas[name])
            waiting += list(part.values())
        elif isinstance(part, list):
            waiting += part
    return found
