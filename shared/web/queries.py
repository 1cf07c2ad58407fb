"""The query of a list, read at once: what is not given costs nothing.

The framework solves each declared parameter of each request, 10-15 us apiece, given or not.
"""

from collections.abc import Callable
from typing import Any, Final, Generic, TypeVar

from fastapi import Request
from fastapi.dependencies.models import Dependant
from fastapi.dependencies.utils import get_flat_params
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from pydantic import BaseModel, ValidationError

from shared.errors import FieldError, Invalid

QueryT = TypeVar("QueryT", bound=BaseModel)
WantedT = TypeVar("WantedT")
_ALSO_OF_PARAMETERS: Final = ("description", "deprecated")


class QueryReader(Generic[QueryT, WantedT]):
    """A dependency that reads the query as a `model` and gives what `wanted` makes of it.

    All fields of the model are optional, and a parameter is named by its field's alias; given
    twice, it counts as it was given last. `UnitOfWorkRoute` has the parameters in its description.
    """

    def __init__(self, model: type[QueryT], wanted: Callable[[QueryT], WantedT]) -> None:
        self._model = model
        self._wanted = wanted
        self._nothing_given = wanted(model())
        self._names = frozenset(field.alias or name for name, field in model.model_fields.items())

    async def __call__(self, request: Request) -> WantedT:
        """What the query says. Raises RequestValidationError."""
        query = request.query_params
        given = {name: value for name, value in query.items() if name in self._names}
        if not given:
            return self._nothing_given
        try:
            return self._wanted(self._model.model_validate(given))
        except ValidationError as error:
            faults = [{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]
            raise RequestValidationError(faults) from error

    def parameters(self) -> list[dict[str, Any]]:
        """The parameters, as OpenAPI describes them."""
        properties = self._model.model_json_schema().get("properties", {})
        return [_parameter(name, schema) for name, schema in properties.items()]


def query_parameters(dependant: Dependant) -> list[dict[str, Any]]:
    """The parameters of all readers among a route's dependencies."""
    found = dependant.call.parameters() if isinstance(dependant.call, QueryReader) else []
    return [*found, *(p for each in dependant.dependencies for p in query_parameters(each))]


class KnownParameters:
    """What a route can be asked in its query: a filter that is misspelt would let all through."""

    def __init__(self, route: APIRoute) -> None:
        described = (route.openapi_extra or {}).get("parameters", [])
        self._names = frozenset(
            [
                *(each["name"] for each in described if each["in"] == "query"),
                *(field.alias for field in get_flat_params(route.dependant)),
            ]
        )
        self._objects = tuple(
            f"{each['name']}[" for each in described if each.get("style") == "deepObject"
        )

    def check(self, request: Request) -> None:
        """Raises Invalid for parameters that the route does not have."""
        if not request.scope["query_string"]:
            return
        unknown = [
            name
            for name in dict.fromkeys(request.query_params)
            if name not in self._names and not (self._objects and name.startswith(self._objects))
        ]
        if unknown:
            detail = "There is no such parameter"
            faults = [FieldError(f"/query/{n[:100]}", "unknown_parameter", detail) for n in unknown]
            raise Invalid(errors=faults)


def _parameter(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    parameter = {"name": name, "in": "query", "required": False, "schema": schema}
    return parameter | {key: schema[key] for key in _ALSO_OF_PARAMETERS if key in schema}
