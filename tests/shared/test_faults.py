"""Each field at fault has one error, and its pointer leads into the request."""

from typing import Annotated, Any, Literal
from uuid import UUID

import httpx
import pytest
from fastapi import Body as FromBody
from fastapi import FastAPI
from pydantic import Discriminator, Field, Tag

from shared.bodies import Body
from shared.text import TextRule
from shared.web.problems import install_problem_handlers

Line = Annotated[str, TextRule(max_length=5)]
Key = Annotated[str, Field(pattern="^[a-z]+$")]
Scalar = bool | Annotated[int, Field(le=10)] | Line


class Mail(Body):
    kind: Literal["email"]
    host: Line


class Shop(Body):
    kind: Literal["shop"]
    store: Line
    port: int = 1


class Order(Body):
    note: Line | None = None
    values: dict[Key, Scalar | Annotated[list[Scalar], Field(max_length=3)]] = Field(
        default_factory=dict
    )
    either: Mail | Shop | None = None
    level: Literal["high"] | int = 1


Sent = Annotated[
    Annotated[Mail, Tag("email")] | Annotated[Shop, Tag("shop")],
    Discriminator(lambda value: value.get("kind") if isinstance(value, dict) else None),
]


def app() -> FastAPI:
    app = FastAPI()
    install_problem_handlers(app)

    @app.post("/orders")
    async def order(
        body: Order, assignee: UUID | Literal["none"] = "none", size: int | None = None
    ) -> None: ...

    @app.post("/connections")
    async def connect(body: Annotated[Sent, FromBody()]) -> None: ...

    return app


async def faults_of(body: Any, path: str = "/orders", **query: str) -> list[tuple[str, str]]:
    transport = httpx.ASGITransport(app())
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        answer = await client.post(path, json=body, params=query)
    assert answer.status_code == 422, answer.text
    return [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("values", "faults"),
    [
        ({"a": "too long"}, [("/a", "string_too_long")]),
        ({"a": 11}, [("/a", "less_than_equal")]),
        ({"a": {"b": 1}}, [("/a", "union_type")]),
        ({"a": [1, "too long", 11, 1]}, [("/a", "too_long")]),
        ({"a": [1, "too long", 11]}, [("/a/1", "string_too_long"), ("/a/2", "less_than_equal")]),
        ({"a": [[1]]}, [("/a/0", "union_type")]),
        ({"A/b": 1}, [("/A~1b", "string_pattern_mismatch")]),
        ({"A": 11}, [("/A", "string_pattern_mismatch")]),
        (
            {"bool": "too long", "str": 11},
            [("/bool", "string_too_long"), ("/str", "less_than_equal")],
        ),
    ],
)
async def test_of_a_union_the_member_speaks_that_was_meant(
    values: dict[str, Any], faults: list[tuple[str, str]]
) -> None:
    found = await faults_of({"values": values})
    assert found == [(f"/body/values{pointer}", code) for pointer, code in faults]


async def test_a_value_of_no_member_is_told_what_it_may_be() -> None:
    transport = httpx.ASGITransport(app())
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        answer = await client.post("/orders", json={"values": {"a": {}}, "level": "low"})
    assert [fault["detail"] for fault in answer.json()["errors"]] == [
        "Input should be a valid boolean, a valid integer, a valid string or a valid list",
        "Input should be 'high' or a valid integer",
    ]


async def test_of_objects_the_one_with_the_fewest_faults_was_meant() -> None:
    found = await faults_of({"either": {"kind": "shop", "port": "80"}})
    assert found == [("/body/either/store", "missing"), ("/body/either/port", "int_type")]


@pytest.mark.parametrize("more", [{}, {"email": "a@example.com"}, {"email": {"host": 1}}])
async def test_a_tag_is_no_field_though_there_is_one_of_its_name(more: dict[str, Any]) -> None:
    also = [("/body/email", "extra_forbidden")] if more else []
    found = await faults_of({"kind": "email", **more}, "/connections")
    assert found == [("/body/host", "missing"), *also]
    found = await faults_of({"kind": "email", "host": 5, **more}, "/connections")
    assert found == [("/body/host", "string_type"), *also]


async def test_parameters_are_named_once() -> None:
    found = await faults_of({}, assignee="everybody", size="x")
    assert found == [("/query/assignee", "union_type"), ("/query/size", "int_parsing")]


async def test_what_is_lacking_or_too_much_keeps_its_place() -> None:
    found = await faults_of({"note": 5, "zz": 1, "either": []})
    assert found == [
        ("/body/note", "string_type"),
        ("/body/either", "union_type"),
        ("/body/zz", "extra_forbidden"),
    ]
    assert await faults_of([1]) == [("/body", "model_attributes_type")]
