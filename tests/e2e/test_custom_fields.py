"""A field of the shop's own, from its definition to the members of a segment."""

from typing import Any

import httpx
import pytest

from cli.demo.client import Api, until
from cli.demo.shop import open_shop
from shared.ids import new_id
from tests.support.house import House


@pytest.fixture
async def http(house: House):
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as client:
        yield client


@pytest.mark.parametrize("house", ["split"], indirect=True)
@pytest.mark.capability(5)
async def test_a_field_is_accepted_validated_filtered_and_segmented_by(
    house: House, http: httpx.AsyncClient
) -> None:
    slug = f"fields-{new_id().hex[-8:]}"
    shop = await open_shop(http, operator_key=house.operator_key, name="Hoa Mai", slug=slug)
    api = Api(http, shop.api_key)
    options = [{"value": each, "label": {"vi": each}} for each in ("gold", "tin")]
    level = {"key": "level", "type": "enum", "label": {"vi": "Hạng"}, "options": options}
    await api.post("/v1/custom-fields", level)
    debt = {"key": "debt", "type": "money", "label": {"vi": "Công nợ"}}
    await api.post("/v1/custom-fields", debt)

    refused = await http.post(
        "/v1/customers",
        json={"name": "An", "attributes": {"level": "iron"}},
        headers={"authorization": f"Bearer {shop.api_key}"},
    )
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/body/attributes/level"

    people: dict[str, Any] = {}
    for name, said in (
        ("An", {"level": "gold", "debt": "2000000"}),
        ("Bo", {"level": "gold", "debt": "500000"}),
        ("Ca", {"level": "tin", "debt": "9000000"}),
    ):
        people[name] = await api.post("/v1/customers", {"name": name, "attributes": said})
    asked = {"attributes[level]": "gold", "attributes[debt][gte]": "1000000"}
    found = await api.get("/v1/customers", **asked)
    assert [customer["name"] for customer in found["data"]] == ["An"]

    rule = {
        "all": [
            {"field": "attributes.level", "op": "eq", "value": "gold"},
            {"field": "attributes.debt", "op": "gte", "value": 1_000_000},
        ]
    }
    segment = await api.post(
        "/v1/segments", {"key": "in_debt", "name": {"vi": "Nợ", "en": "In debt"}, "rule": rule}
    )
    members = f"/v1/segments/{segment['id']}/members"

    async def member_ids() -> list[str]:
        return [member["customer_id"] for member in (await api.get(members))["data"]]

    await until(member_ids, lambda ids: ids == [people["An"]["id"]], what="the member is in")
