"""The query of a list, read at once."""

from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from pydantic import BaseModel, Field

from shared.web.problems import install_problem_handlers
from shared.web.queries import QueryReader, query_parameters


class Wanted(BaseModel):
    size: int = Field(default=3, ge=1, le=9, description="How large")
    begun_from: int | None = Field(default=None, alias="begun_at[gte]")
    tag: str | None = Field(default=None, deprecated=True)


read_wanted = QueryReader(Wanted, lambda wanted: wanted)


async def nested(wanted: Annotated[Wanted, Depends(read_wanted)]) -> Wanted:
    return wanted


def app() -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)

    @app.get("/")
    async def show(wanted: Annotated[Wanted, Depends(nested)]) -> dict[str, Any]:
        return wanted.model_dump()

    return app


@pytest.mark.parametrize(
    ("query", "read"),
    [
        ("", {"size": 3, "begun_from": None, "tag": None}),
        ("other=1", {"size": 3, "begun_from": None, "tag": None}),
        ("size=9&begun_at[gte]=5", {"size": 9, "begun_from": 5, "tag": None}),
        ("tag=a&tag=b", {"size": 3, "begun_from": None, "tag": "b"}),
        # The field's own name is none of the query's.
        ("begun_from=5", {"size": 3, "begun_from": None, "tag": None}),
    ],
)
async def test_what_is_given_counts_and_all_else_is_as_if_nothing_was(query: str, read: dict):
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app()), base_url="http://list"
    ) as client:
        assert (await client.get(f"/?{query}")).json() == read


async def test_every_fault_names_its_parameter():
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app()), base_url="http://list"
    ) as client:
        answer = await client.get("/?size=10&begun_at[gte]=x")
    assert answer.status_code == 422
    assert [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]] == [
        ("/query/size", "less_than_equal"),
        ("/query/begun_at[gte]", "int_parsing"),
    ]


def test_the_parameters_are_described():
    [route] = [route for route in app().routes if route.path == "/"]
    size, begun, tag = query_parameters(route.dependant)
    assert size == {
        "name": "size",
        "in": "query",
        "required": False,
        "description": "How large",
        "schema": {
            "type": "integer",
            "minimum": 1,
            "maximum": 9,
            "default": 3,
            "title": "Size",
            "description": "How large",
        },
    }
    assert begun["name"] == "begun_at[gte]"
    assert tag["deprecated"] is True
