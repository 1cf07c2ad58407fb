"""The bodies of PATCH: a field that is absent stays as it is, and `null` clears it."""

from typing import Any

from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema


class NeverNull:
    """A pydantic annotation for what a change may leave out and cannot clear.

    The field keeps its default of None, which stands for absent; a `null` that is sent is refused,
    and the description does not offer it.
    """

    def __get_pydantic_core_schema__(
        self, source: type[Any], handler: GetCoreSchemaHandler
    ) -> core_schema.CoreSchema:
        return core_schema.no_info_before_validator_function(_refuse_null, handler(source))

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        stated = handler(schema)
        kept = [each for each in stated.get("anyOf", []) if each != {"type": "null"}]
        if len(kept) == 1:
            rest = {key: value for key, value in stated.items() if key != "anyOf"}
            return {**kept[0], **rest}
        return {**stated, "anyOf": kept} if kept else stated


def _refuse_null(value: object) -> object:
    if value is None:
        raise PydanticCustomError("null", "This cannot be cleared; leave it out")
    return value
