"""Variables that a client gives, bounded in every direction."""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

MAX_DEPTH: Final = 5
MAX_VALUES: Final = 1_000
MAX_CHARACTERS: Final = 50_000


def _bounded(variables: dict[str, Any]) -> dict[str, Any]:
    """`variables` as they are. Raises when too deep, too many, too long or not text."""
    values = characters = 0
    waiting: list[tuple[Any, int]] = [(variables, 0)]
    while waiting:
        value, depth = waiting.pop()
        values += 1
        if depth > MAX_DEPTH or values > MAX_VALUES or characters > MAX_CHARACTERS:
            raise PydanticCustomError(
                "variables_too_large",
                "Variables go {depth} levels deep at most, hold {values} values and {characters} "
                "characters",
                {"depth": MAX_DEPTH, "values": MAX_VALUES, "characters": MAX_CHARACTERS},
            )
        if isinstance(value, dict):
            waiting += [(key, depth + 1) for key in value]
            waiting += [(item, depth + 1) for item in value.values()]
        elif isinstance(value, list):
            waiting += [(item, depth + 1) for item in value]
        elif isinstance(value, str):
            characters += len(value)
            _refuse_unstorable(value)
    return variables


def _refuse_unstorable(text: str) -> None:
    if "\x00" in text or any("\ud800" <= char <= "\udfff" for char in text):
        raise PydanticCustomError("text_not_unicode", "Text holds a character that is none")


Variables = Annotated[dict[str, Any], Field(max_length=100), AfterValidator(_bounded)]
"""Values for a template: texts, numbers, lists and objects."""
