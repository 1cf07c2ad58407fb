"""Bodies say what they mean."""

from typing import Annotated, Any

import pytest
from pydantic import Field, ValidationError

from shared.bodies import Body


class Inner(Body):
    count: Annotated[int, Field(ge=0, le=9)] = 0


class Outer(Body):
    on: bool = False
    share: float | None = None
    inner: Inner | None = None
    many: list[Inner] = Field(default_factory=list)
    any_of: bool | int | str | None = None
    type: int = 0
    metadata: int = 0


@pytest.mark.parametrize(
    "given",
    [
        {"on": 1},
        {"on": "true"},
        {"share": "0.5"},
        {"share": True},
        {"inner": {"count": "5"}},
        {"inner": {"count": True}},
        {"many": [{"count": 1.0}]},
        {"type": "1"},
        {"metadata": "1"},
        {"unknown": 1},
        {"inner": {"unknown": 1}},
    ],
)
def test_nothing_is_read_as_something_else(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Outer.model_validate(given)


def test_what_is_meant_is_taken() -> None:
    given = {"on": True, "share": 1, "inner": {"count": 5}, "many": [{"count": 1}], "any_of": 1}
    assert Outer.model_validate(given).model_dump(exclude_unset=True) == given
    assert Outer.model_validate({"any_of": True}).any_of is True


def test_the_description_is_the_same_as_without() -> None:
    assert Inner.model_json_schema()["properties"]["count"] == {
        "default": 0,
        "maximum": 9,
        "minimum": 0,
        "title": "Count",
        "type": "integer",
    }
