"""Every operation of the merged API description, and the places where a request names an object."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.isolation.kinds import kind_of

Json = dict[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")


@dataclass(frozen=True)
class Place:
    """Where a request names an object: in the path, the query or the body."""

    where: str
    name: str
    kind: str

    def __str__(self) -> str:
        return f"{self.where}.{self.name}"


@dataclass(frozen=True)
class Operation:
    """One operation, with the schemas it refers to."""

    method: str
    path: str
    id: str
    is_open: bool
    headers: frozenset[str]
    query: frozenset[str]
    required_query: Mapping[str, Json] = field(repr=False)
    media_type: str | None
    body: Json | None = field(repr=False)
    places: tuple[Place, ...] = field(repr=False)

    def __str__(self) -> str:
        return f"{self.id} ({self.method.upper()} {self.path})"


class Description:
    """The merged OpenAPI document."""

    def __init__(self, document: Json) -> None:
        self._document = document
        self._paths: Json = document["paths"]

    def operations(self) -> Iterator[Operation]:
        """All of them: reading ones first, deleting ones last, the innermost before the others."""
        found = [
            self._operation(method, path, item[method], item.get("parameters", []))
            for path, item in self._paths.items()
            for method in METHODS
            if method in item
        ]
        yield from sorted(found, key=lambda one: (METHODS.index(one.method), -one.path.count("/")))

    def resolved(self, part: Json) -> Json:
        """The schema, parameter or body itself, where it is only referred to."""
        while "$ref" in part:
            found: Any = self._document
            for step in part["$ref"].removeprefix("#/").split("/"):
                found = found[step]
            part = found
        return part

    def _operation(self, method: str, path: str, item: Json, shared: list[Json]) -> Operation:
        parameters = [self.resolved(one) for one in (*shared, *item.get("parameters", []))]
        content: Json = self.resolved(item.get("requestBody", {})).get("content", {})
        media_type = next(iter(content), None)
        body = content[media_type]["schema"] if media_type else None
        operation_id = item["operationId"]
        named = [*self._in_parameters(operation_id, path, parameters)]
        if body is not None:
            named += self._in_body(operation_id, body, "", ())
        return Operation(
            method=method,
            path=path,
            id=operation_id,
            is_open=item.get("security") == [],
            headers=frozenset(p["name"].lower() for p in parameters if p["in"] == "header"),
            query=frozenset(p["name"] for p in parameters if p["in"] == "query"),
            required_query={
                p["name"]: self.resolved(p["schema"])
                for p in parameters
                if p["in"] == "query" and p.get("required")
            },
            media_type=media_type,
            body=body,
            places=tuple(dict.fromkeys(named)),
        )

    def _in_parameters(self, operation: str, path: str, given: list[Json]) -> Iterator[Place]:
        for parameter in given:
            where, name = parameter["in"], parameter["name"]
            if where == "path":
                yield Place("path", name, kind_of(operation, path, name, is_id=True))
            elif where == "query":
                is_id = self._is_id(parameter["schema"])
                if kind := kind_of(operation, path, name, is_id=is_id):
                    yield Place("query", name, kind)

    def _in_body(
        self, operation: str, schema: Json, name: str, seen: tuple[str, ...]
    ) -> Iterator[Place]:
        if (reference := schema.get("$ref")) in seen:
            return
        if reference:
            seen = (*seen, reference)
        schema = self.resolved(schema)
        # What a list names is named by its items.
        if name and schema.get("type") != "array":
            leaf = name.rpartition(".")[2].removesuffix("[]")
            is_id = schema.get("format") == "uuid"
            if kind := kind_of(operation, "", leaf, is_id=is_id):
                yield Place("body", name, kind)
                return
        for option in alternatives(schema):
            yield from self._in_body(operation, option, name, seen)
        for inner, value in schema.get("properties", {}).items():
            yield from self._in_body(operation, value, f"{name}.{inner}".lstrip("."), seen)
        if isinstance(schema.get("items"), dict):
            yield from self._in_body(operation, schema["items"], f"{name}[]", seen)

    def _is_id(self, schema: Json) -> bool:
        schema = self.resolved(schema)
        return schema.get("format") == "uuid" or any(map(self._is_id, alternatives(schema)))


def alternatives(schema: Json) -> list[Json]:
    """What a schema may be, or is made of."""
    return [option for key in ("anyOf", "oneOf", "allOf") for option in schema.get(key, [])]
