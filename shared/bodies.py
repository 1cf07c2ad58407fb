"""What clients send: nothing that is not known, and nothing read as something else.

pydantic reads kindly: `"5"` and `true` for an integer, `"yes"` for a boolean. An API that does so
takes a client's mistake for its will, and accepts what its own description forbids.
"""

from typing import Any, Final

from pydantic import BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema

_SCALARS: Final = frozenset({"int", "float", "bool"})
# Below these keys stand values and other things that only look like schemas.
_OPAQUE: Final = frozenset({"metadata", "default", "expected", "serialization", "cls", "config"})


def _make_strict(schema: Any) -> None:
    """Have numbers and booleans be taken as such only. A strict float still takes integers."""
    if isinstance(schema, dict):
        kind = schema.get("type")
        if isinstance(kind, str) and kind in _SCALARS:
            schema["strict"] = True
        # The keys of `fields` are names of somebody's choice.
        fields = schema.get("fields", {}).values() if isinstance(schema.get("fields"), dict) else ()
        others = (inner for key, inner in schema.items() if key not in _OPAQUE and key != "fields")
        for inner in (*fields, *others):
            _make_strict(inner)
    elif isinstance(schema, list | tuple):
        for inner in schema:
            _make_strict(inner)


class Body(BaseModel):
    """A body of a request, or a part of one."""

    model_config = ConfigDict(extra="forbid")

    @classmethod
    def __get_pydantic_core_schema__(
        cls, source: type[Any], handler: GetCoreSchemaHandler
    ) -> CoreSchema:
        schema = handler(source)
        _make_strict(schema)
        return schema
