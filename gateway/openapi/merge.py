"""One OpenAPI document out of several. Pure functions over decoded JSON.

A part's document contributes the paths that the part owns and the schemas that they need. Two
schemas of one name that mean the same become one; if they differ, the later part's is renamed.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final

from gateway.openapi.components import SCHEME, shared_components
from gateway.openapi.naming import names_for
from gateway.openapi.operations import METHODS, completed_paths
from gateway.openapi.schemas import closure, complete_answers, refs, renamed, tidied
from gateway.openapi.tags import tag_objects
from gateway.upstreams.owners import EVERYBODY
from shared.web.problems import problem_schemas

Document = dict[str, Any]

_SERVER: Final = {
    "description": "This installation, be it production, staging or local",
    "x-internal": False,
}


def merge(
    documents: Mapping[str, Document],
    *,
    owner_of: Callable[[str], str | None],
    info: Mapping[str, Any],
    servers: Iterable[str],
) -> Document:
    """The document of the whole API, in the order of the parts."""
    paths: dict[str, Any] = {}
    webhooks: dict[str, Any] = {}
    schemas: dict[str, Any] = problem_schemas()
    for part, document in documents.items():
        available = document.get("components", {}).get("schemas", {})
        stated = _own_paths(part, document, owner_of=owner_of, taken=paths)
        own = completed_paths(stated, available)
        sent = document.get("webhooks", {})
        needed = {name: available[name] for name in closure(refs([own, sent]), available)}
        names = names_for(part, needed, own, taken=schemas)
        schemas.update({names[name]: renamed(needed[name], names) for name in needed})
        paths.update(renamed(own, names))
        webhooks.update(renamed(sent, names))
    answers = complete_answers(schemas, _sent(paths))
    components = {"schemas": dict(sorted(answers.items())), **shared_components(paths)}
    return {
        "openapi": "3.1.0",
        "info": dict(info),
        "servers": [_SERVER | {"url": url} for url in servers],
        "tags": tag_objects(_tags(paths)),
        "paths": tidied(dict(sorted(paths.items())), named=True),
        "webhooks": tidied(webhooks, named=True),
        "components": {name: tidied(each, named=True) for name, each in components.items()},
        "security": [{SCHEME: []}],
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


def _sent(paths: Mapping[str, Any]) -> set[str]:
    """The schemas that requests refer to."""
    return {
        name
        for item in paths.values()
        for method in METHODS
        for part in ("requestBody", "parameters")
        for name in refs(item.get(method, {}).get(part, {}))
    }


def _tags(paths: Mapping[str, Any]) -> set[str]:
    return {
        tag
        for item in paths.values()
        for method in METHODS
        for tag in item.get(method, {}).get("tags", [])
    }
