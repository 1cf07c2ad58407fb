"""What will go away says so in every answer and in the description."""

from collections.abc import AsyncIterator
from datetime import date
from typing import Any

import pytest
from fastapi import Response

from shared.ids import TenantId
from shared.part.app import create_part_app
from shared.part.context import build_context
from shared.stream.handlers import EventHandlers
from shared.web.deprecation import deprecated
from shared.web.routing import requires, service_router
from tests.support.edge_part import EDGE
from tests.support.harness import ServiceHarness
from tests.support.parts import part_settings

router = service_router(prefix="/v1/things", tag="things")
OLD = deprecated(
    since=date(2026, 3, 1),
    sunset=date(2026, 9, 1),
    successor="/v1/things/new",
    reading="https://docs.example/old",
)


@router.get("/old", operation_id="things.old", dependencies=[requires("things:read"), OLD])
async def old(limit: int = 1) -> dict[str, int]:
    """Go away soon."""
    return {"limit": limit}


@router.get("/raw", operation_id="things.raw", dependencies=[deprecated(since=date(2026, 3, 1))])
async def raw() -> Response:
    """Answer by itself."""
    return Response("{}", media_type="application/json")


@router.get("/new", operation_id="things.new", dependencies=[requires("things:read")])
async def new() -> dict[str, int]:
    """Stay."""
    return {}


@pytest.fixture(scope="module")
async def part(database_url: str, redis_url: str, root_key: str) -> AsyncIterator[ServiceHarness]:
    context: Any = build_context(
        part_settings(EDGE, root_key=root_key, database_url=database_url, redis_url=redis_url)
    )
    app = create_part_app(context, title="Old", description="For tests", routers=[router])
    yield ServiceHarness(app, context, EventHandlers())
    await context.close()


async def test_every_answer_announces_the_end(part: ServiceHarness, tenant: TenantId) -> None:
    async with part.client(tenant, "things:read") as client:
        answers = [
            await client.get("/v1/things/old"),
            await client.get("/v1/things/old", params={"limit": "many"}),
        ]
    async with part.client(tenant) as nobody:
        answers.append(await nobody.get("/v1/things/old"))
    assert [answer.status_code for answer in answers] == [200, 422, 403]
    for answer in answers:
        # RFC 9745 and RFC 8594, each in a form of its own.
        assert answer.headers["deprecation"] == "@1772323200"
        assert answer.headers["sunset"] == "Tue, 01 Sep 2026 00:00:00 GMT"
        assert answer.headers["link"] == (
            '</v1/things/new>; rel="successor-version", '
            '<https://docs.example/old>; rel="deprecation"'
        )


async def test_so_does_an_endpoint_that_answers_by_itself(
    part: ServiceHarness, tenant: TenantId
) -> None:
    async with part.client(tenant) as client:
        answer = await client.get("/v1/things/raw")
    assert answer.headers["deprecation"] == "@1772323200"
    assert "sunset" not in answer.headers
    assert "link" not in answer.headers


async def test_others_say_nothing(part: ServiceHarness, tenant: TenantId) -> None:
    async with part.client(tenant, "things:read") as client:
        answer = await client.get("/v1/things/new")
    assert answer.status_code == 200
    assert "deprecation" not in answer.headers


def test_the_description_says_it_too(part: ServiceHarness) -> None:
    paths = part.app.openapi()["paths"]
    assert paths["/v1/things/old"]["get"]["deprecated"] is True
    assert paths["/v1/things/raw"]["get"]["deprecated"] is True
    assert "deprecated" not in paths["/v1/things/new"]["get"]


def test_nothing_goes_away_before_it_is_deprecated() -> None:
    with pytest.raises(ValueError):
        deprecated(since=date(2026, 3, 1), sunset=date(2026, 3, 1))
