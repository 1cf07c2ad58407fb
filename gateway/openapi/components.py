"""What operations share in the document: how errors look, which headers come and go."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from gateway.openapi.schemas import RESPONSE_REF, refs
from shared.web.problems import MEDIA_TYPE

SCHEME: Final = "bearer"
_PROBLEM: Final = {"$ref": "#/components/schemas/Problem"}

# Status: the name of the shared response, and what a client should know of it.
_ERRORS: Final[dict[int, tuple[str, str]]] = {
    401: ("Unauthenticated", "No credential, or one that is malformed, expired or revoked"),
    403: ("Forbidden", "The credential lacks a scope, or the caller's role forbids it"),
    404: ("NotFound", "No such thing in the caller's shop"),
    408: ("RequestTimeout", "The body did not arrive in time"),
    409: ("Conflict", "The current state forbids it; `code` says what is in the way"),
    410: ("Gone", "It was there and is there no longer"),
    412: ("StaleVersion", "`If-Match` names a version that is no longer current"),
    413: ("TooLarge", "The body is over the limit that `max_bytes` states"),
    414: ("UriTooLong", "The path and the query together are over the limit"),
    415: ("UnsupportedMediaType", "The body of a write is `application/json`"),
    422: ("Invalid", "The request is understood and refused; `errors` names the fields"),
    429: ("TooManyRequests", "Over a limit; try again after `Retry-After` seconds"),
    500: ("InternalError", "Our fault; `request_id` finds it in the log"),
    502: ("BadGateway", "A service behind the gateway broke off its answer"),
    503: (
        "Unavailable",
        "Something that is needed is down; the same request may go well later",
    ),
    504: ("GatewayTimeout", "A service behind the gateway did not answer in time"),
}
# Spaces within only: those around the value of a header are not part of it.
_VISIBLE: Final = "^[!-~]([ -~]*[!-~])?$"
_RETRY_AFTER: Final = frozenset({429, 503})

_HEADERS: Final[dict[str, dict[str, Any]]] = {
    "X-Request-Id": {
        "description": "Names the request in our logs; the caller's own when it sent one",
        "required": True,
        "schema": {"type": "string", "maxLength": 64, "pattern": "^[A-Za-z0-9._-]+$"},
        "example": "0199d6a2b1c97e4f9b1f5d6c7a8e9f00",
    },
    "RateLimit-Policy": {
        "description": "The limits that apply to the caller: `q` requests in `w` seconds",
        "schema": {"type": "string", "maxLength": 1000},
        "example": '"key";q=600;w=60',
    },
    "RateLimit": {
        "description": "What is left: `r` requests now, all of them again in `t` seconds",
        "schema": {"type": "string", "maxLength": 1000},
        "example": '"key";r=599;t=1',
    },
    "Retry-After": {
        "description": "Seconds to wait before the request is sent again",
        "schema": {"type": "string", "pattern": "^[0-9]+$", "maxLength": 10},
        "example": "3",
    },
    "WWW-Authenticate": {
        "description": "The scheme of the credential that is missing, where it is one of a header",
        "schema": {"type": "string", "maxLength": 200},
        "example": "Bearer",
    },
    "ETag": {
        "description": "The version of the resource, for `If-Match`",
        "required": True,
        "schema": {"type": "string", "pattern": '^"[0-9]+"$', "maxLength": 25},
        "example": '"3"',
    },
    "Location": {
        "description": "Where what was made can be read",
        "required": True,
        "schema": {"type": "string", "format": "uri-reference", "maxLength": 2000},
        "example": "/v1/customers/0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00",
    },
    "Idempotent-Replayed": {
        "description": "`true` when this is the answer that the first request with the same"
        " `Idempotency-Key` had",
        "schema": {"type": "string", "enum": ["true"]},
    },
}

_PARAMETERS: Final[dict[str, dict[str, Any]]] = {
    "Idempotency-Key": {
        "name": "Idempotency-Key",
        "in": "header",
        "required": False,
        "description": "Makes the request safe to repeat: within 24 hours the same key with the"
        " same body has one effect and gets the same answer",
        "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": _VISIBLE},
        "example": "0f8fad5b-d9cb-469f-a165-70867728950e",
    },
}


def error_responses(*statuses: int) -> dict[str, Any]:
    """References to the shared responses, by status; statuses that none is shared for are left."""
    return {
        str(status): {"$ref": f"{RESPONSE_REF}{_ERRORS[status][0]}"}
        for status in statuses
        if status in _ERRORS
    }


def page_responses(*statuses: int) -> dict[str, Any]:
    """The errors that a page tells of as a page, unless they happen before it is asked."""
    html = {"text/html": {"schema": {"type": "string"}}}
    errors = {str(status): _error(status) for status in statuses}
    return {
        status: {**error, "content": {**html, **error["content"]}}
        for status, error in errors.items()
    }


def header_refs(*names: str) -> dict[str, Any]:
    """References to shared headers, by name."""
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def parameter_ref(name: str) -> dict[str, str]:
    """A reference to a shared parameter."""
    return {"$ref": f"#/components/parameters/{name}"}


def shared_components(paths: Mapping[str, Any]) -> dict[str, Any]:
    """What `paths` refer to, and the one way to say who one is."""
    used = set(refs(paths, to=RESPONSE_REF))
    return {
        "responses": {
            name: _error(status) for status, (name, _) in _ERRORS.items() if name in used
        },
        "headers": _HEADERS,
        "parameters": _PARAMETERS,
        "securitySchemes": {
            SCHEME: {
                "type": "http",
                "scheme": "bearer",
                "description": "An API key, or the access token of staff or of a shopper. The"
                " scopes that an operation needs are listed with it",
            }
        },
    }


def _error(status: int) -> dict[str, Any]:
    _, description = _ERRORS[status]
    names = ["X-Request-Id"]
    if status in _RETRY_AFTER:
        names.append("Retry-After")
    if status == HTTPStatus.UNAUTHORIZED:
        names.append("WWW-Authenticate")
    if status < HTTPStatus.INTERNAL_SERVER_ERROR:
        names += ["RateLimit", "RateLimit-Policy"]
    return {
        "description": description,
        "headers": header_refs(*names),
        "content": {MEDIA_TYPE: {"schema": _PROBLEM}},
    }
