"""What the door and the edge add to every operation: credentials, limits, failures, headers.

A part describes what its endpoints say. What stands around them is the same for all and is
written here once, from what an operation shows of itself: its method, path, scopes and answers.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

from gateway.openapi.components import (
    SCHEME,
    error_responses,
    header_refs,
    page_responses,
    parameter_ref,
)
from gateway.openapi.schemas import refs, without_null

METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_WRITES: Final = frozenset({"post", "put", "patch", "delete"})
_WITH_BODY: Final = frozenset({"post", "put", "patch"})
_HOOKS: Final = "/v1/hooks/"
_PAGES: Final = "/pages/"
_PUBLIC_SCOPES: Final = (None, ["public:pages"])
_FRAMEWORK_ERROR: Final = "HTTPValidationError"
_IF_MATCH: Final = "if-match"
_HEADERS: Final = ("X-Request-Id", "RateLimit", "RateLimit-Policy")
# Errors that a part's router states for all of its operations, and that only some can answer.
_ONLY_OF_SOME: Final = frozenset({"401", "403", "404", "409", "412"})

Operation = dict[str, Any]
Schemas = Mapping[str, Any]


def completed_paths(paths: Mapping[str, Any], schemas: Schemas) -> dict[str, Any]:
    """A part's paths, with all operations completed. `schemas` are the part's own."""
    api = _Api(
        schemas,
        readable={path for path, item in paths.items() if "get" in item},
        versioned={
            path for path, item in paths.items() if any(map(_is_conditional, item.values()))
        },
    )
    return {
        path: {
            key: _Completion(value, key, path, api).completed() if key in METHODS else value
            for key, value in item.items()
        }
        for path, item in paths.items()
    }


@dataclass(frozen=True, slots=True)
class _Api:
    """What an operation needs to know of the others: which paths can be read, or have versions."""

    schemas: Schemas
    readable: Collection[str]
    versioned: Collection[str]

    def has_items(self, path: str, *, among: Collection[str]) -> bool:
        """Whether one of `among` is the path of an item of the collection at `path`."""
        start = f"{path}/{{"
        return any(
            each.startswith(start) and each.count("/") == path.count("/") + 1 for each in among
        )


class _Completion:
    """One operation on its way into the document."""

    def __init__(self, operation: Operation, method: str, path: str, api: _Api) -> None:
        self._operation = operation
        self._method = method
        self._path = path
        self._api = api
        self._scopes: list[str] | None = operation.get("x-required-scopes")
        self._shopper_scopes: list[str] = operation.get("x-shopper-scopes", [])
        self._is_public = self._scopes in _PUBLIC_SCOPES
        self._stated_parameters: list[dict[str, Any]] = operation.get("parameters", [])
        self._is_conditional = _is_conditional(operation)

    def completed(self) -> Operation:
        completed = {
            **self._operation,
            "parameters": self._parameters(),
            "responses": self._responses(),
            "security": self._security(),
        }
        if not completed["parameters"]:
            del completed["parameters"]
        if self._scopes and not self._is_public:
            completed["description"] = f"{self._operation.get('description', '')}\n\n{self._who()}"
        return completed

    def _security(self) -> list[dict[str, list[str]]]:
        if self._is_public:
            return []
        callers = [self._scopes or [], *([self._shopper_scopes] if self._shopper_scopes else [])]
        return [{SCHEME: scopes} for scopes in callers]

    def _who(self) -> str:
        """The scopes in words, for those who read the document in a browser."""
        needed = " and ".join(f"`{scope}`" for scope in self._scopes or [])
        own = " and ".join(f"`{scope}`" for scope in self._shopper_scopes)
        return f"Needs {needed}; a shopper needs {own}." if own else f"Needs {needed}."

    def _parameters(self) -> list[dict[str, Any]]:
        stated = [
            {**parameter, "schema": without_null(parameter["schema"])}
            for parameter in self._stated_parameters
        ]
        repeatable = self._method in _WRITES and not self._is_public
        return [*stated, parameter_ref("Idempotency-Key")] if repeatable else stated

    def _responses(self) -> dict[str, Any]:
        stated = {
            status: response
            for status, response in self._operation.get("responses", {}).items()
            # The framework's own form of a validation error never leaves the house.
            if _FRAMEWORK_ERROR not in refs(response)
        }
        possible = {status: response for status, response in stated.items() if self._can(status)}
        errors = self._door_errors() | {int(status) for status in possible if status >= "400"}
        answers = {
            status: self._answer(int(status), response) if status < "400" else response
            for status, response in possible.items()
        }
        if self._path.startswith(_PAGES):
            answers |= page_responses(404, 422)
            errors -= {404, 422}
        return dict(sorted({**answers, **error_responses(*errors)}.items()))

    def _door_errors(self) -> set[int]:
        """What may be answered before the endpoint is asked, and when it cannot be."""
        errors = {414, 422, 429, 500, 502, 503, 504}
        if not self._is_public:
            errors |= {401, 403}
        if self._method in _WITH_BODY:
            errors |= {408, 413}
            if not self._path.startswith((_HOOKS, _PAGES)):
                errors |= {415}
        return errors

    def _can(self, status: str) -> bool:
        """Whether the operation can answer an error that its router states for everything."""
        if status not in _ONLY_OF_SOME:
            return True
        if self._scopes is None:  # not of such a router: it states what it does
            return True
        return {
            "401": not self._is_public,
            "403": not self._is_public,
            "404": self._may_be_missing(),
            "409": self._method in _WRITES,
            "412": self._is_conditional,
        }[status]

    def _may_be_missing(self) -> bool:
        """Whether it is about something that may not be there; the only one of its kind, too."""
        named = "{" in self._path or self._filters_by_id()
        return named or self._method in _WRITES or self._path in self._api.versioned

    def _filters_by_id(self) -> bool:
        """Whether a list is asked for something of an other resource, which may not be there."""
        return any(parameter["name"].endswith("_id") for parameter in self._stated_parameters)

    def _answer(self, status: int, response: Operation) -> Operation:
        names = [*_HEADERS]
        if self._method in _WRITES and not self._is_public:
            names.append("Idempotent-Replayed")
        if self._is_versioned(response):
            names.append("ETag")
        if self._says_where(status, response):
            names.append("Location")
        return {**response, "headers": {**header_refs(*names), **response.get("headers", {})}}

    def _is_versioned(self, response: Operation) -> bool:
        """Whether the answer is the state of something that `If-Match` can guard."""
        guarded = self._path in self._api.versioned or (
            self._method == "post" and self._api.has_items(self._path, among=self._api.versioned)
        )
        return guarded and "version" in self._schema_of(response).get("properties", {})

    def _says_where(self, status: int, response: Operation) -> bool:
        """Whether something was made, or begun, that has an address of its own."""
        properties = self._schema_of(response).get("properties", {})
        if status == 202:
            return "job_id" in properties
        made = status == 201 and "id" in properties
        return made and self._api.has_items(self._path, among=self._api.readable)

    def _schema_of(self, response: Operation) -> Mapping[str, Any]:
        schema = response.get("content", {}).get("application/json", {}).get("schema", {})
        name = schema.get("$ref", "").rpartition("/")[2]
        found: Mapping[str, Any] = self._api.schemas.get(name, {})
        return found


def _is_conditional(operation: Any) -> bool:
    """Whether it takes `If-Match`."""
    stated = operation.get("parameters", []) if isinstance(operation, dict) else []
    return any(parameter["name"].lower() == _IF_MATCH for parameter in stated)
