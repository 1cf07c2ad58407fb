"""One OpenAPI document out of several. Pure functions over decoded JSON.

A part's document contributes the paths that the part owns and the schemas that they need. Two
schemas of one name that mean the same become one; if they differ, the later part's is renamed.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final

from gateway.upstreams.owners import EVERYBODY
from shared.web.problems import problem_responses

Document = dict[str, Any]

_REF: Final = "#/components/schemas/"
_METHODS: Final = ("get", "put", "post", "delete", "patch", "head", "options")
_WRITES: Final = frozenset({"post", "put", "patch", "delete"})
_SCHEME: Final = "bearer"
_FRAMEWORK_ERROR: Final = "HTTPValidationError"
_PUBLIC_SCOPES: Final = (["public:pages"],)
_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Makes the request safe to repeat: within 24 hours the same key with the same"
    " body has one effect and gets the same answer",
}


def merge(
    documents: Mapping[str, Document],
    *,
    owner_of: Callable[[str], str | None],
    info: Mapping[str, str],
    servers: Iterable[str],
) -> Document:
    """The document of the whole API, in the order of the parts."""
    paths: dict[str, Any] = {}
    schemas: dict[str, Any] = {}
    tags: dict[str, dict[str, str]] = {}
    for part, document in documents.items():
        own = _completed_paths(_own_paths(part, document, owner_of=owner_of, taken=paths))
        available = document.get("components", {}).get("schemas", {})
        needed = {name: available[name] for name in _closure(_refs(own), available)}
        names = _names_for(part, needed, schemas)
        schemas.update({names[name]: _renamed(needed[name], names) for name in needed})
        paths.update(_renamed(own, names))
        tags.update({name: {"name": name} for name in _tags(own)})
    return {
        "openapi": "3.1.0",
        "info": dict(info),
        "servers": [{"url": url} for url in servers],
        "tags": sorted(tags.values(), key=lambda tag: tag["name"]),
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": dict(sorted(schemas.items())),
            "securitySchemes": {
                _SCHEME: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "An API key, or the access token of staff or of a shopper",
                }
            },
        },
        "security": [{_SCHEME: []}],
    }


def _own_paths(
    part: str,
    document: Document,
    *,
    owner_of: Callable[[str], str | None],
    taken: Mapping[str, Any],
) -> dict[str, Any]:
    return {
        path: item
        for path, item in document.get("paths", {}).items()
        if path not in taken and owner_of(path) in (part, EVERYBODY)
    }


def _completed_paths(paths: Mapping[str, Any]) -> dict[str, Any]:
    return {
        path: {
            key: _completed(value, key, path) if key in _METHODS else value
            for key, value in item.items()
        }
        for path, item in paths.items()
    }


def _completed(operation: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation with what the door adds to it: credentials, limits, failures."""
    scopes = operation.get("x-required-scopes")
    is_public = scopes is None or scopes in _PUBLIC_SCOPES
    statuses = [422, 500, 502, 503, 504]
    if method in _WRITES and "requestBody" in operation:
        statuses += [413] if path.startswith(("/v1/hooks/", "/pages/")) else [413, 415]
    responses = {str(status): response for status, response in problem_responses(*statuses).items()}
    stated = {
        status: response
        for status, response in operation.get("responses", {}).items()
        # The framework's own form of a validation error never leaves the house.
        if _FRAMEWORK_ERROR not in _refs(response)
    }
    completed = {**operation, "responses": dict(sorted({**responses, **stated}.items()))}
    if is_public:
        completed["security"] = []
    elif method in _WRITES:
        completed["parameters"] = [*operation.get("parameters", []), _IDEMPOTENCY_KEY]
    return completed


def _names_for(part: str, needed: Mapping[str, Any], taken: Mapping[str, Any]) -> dict[str, str]:
    """What each needed schema is called in the merged document."""
    names: dict[str, str] = {}
    prefix = "".join(word.capitalize() for word in part.split("_"))
    for name in needed:
        same = name not in taken or _meaning(name, needed) == _meaning(name, taken)
        names[name] = name if same else f"{prefix}{name}"
    return names


def _meaning(name: str, schemas: Mapping[str, Any]) -> str:
    """A schema with all that it refers to, comparable between documents."""
    reachable = _closure([name], schemas)
    return json.dumps({each: schemas[each] for each in reachable}, sort_keys=True)


def _closure(names: Iterable[str], schemas: Mapping[str, Any]) -> list[str]:
    """The names with everything that their schemas refer to, in alphabetical order."""
    found: set[str] = set()
    waiting = [name for name in names if name in schemas]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += [ref for ref in _refs(schemas[name]) if ref in schemas]
    return sorted(found)


def _refs(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        ref = value.get("$ref")
        if isinstance(ref, str) and ref.startswith(_REF):
            yield ref.removeprefix(_REF)
        for inner in value.values():
            yield from _refs(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _refs(inner)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    """A copy in which every reference has its new name; discriminators refer, too."""
    if isinstance(value, dict):
        return {key: _renamed(inner, names) for key, inner in value.items()}
    if isinstance(value, list):
        return [_renamed(inner, names) for inner in value]
    if isinstance(value, str) and value.startswith(_REF):
        name = value.removeprefix(_REF)
        return f"{_REF}{names.get(name, name)}"
    return value


def _operations(item: Mapping[str, Any]) -> list[str]:
    return [method for method in _METHODS if method in item]


def _tags(paths: Mapping[str, Any]) -> set[str]:
    return {
        tag
        for item in paths.values()
        for method in _operations(item)
        for tag in item[method].get("tags", [])
    }
