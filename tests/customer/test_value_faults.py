"""Values that may be of several types: one error for each, at its own place in the request."""

import pytest

from shared.ids import new_id

LONG = "x" * 1001


@pytest.fixture
async def client(service, shop):
    scopes = ("customers:read", "customers:write", "pii:read", "lead_submissions:write")
    async with service.client(shop, *scopes) as client:
        yield client


async def faults_of(client, method, path, body):
    answer = await client.request(method, path, json=body)
    assert answer.status_code == 422, answer.text
    return [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/v1/customers"),
        ("PATCH", "/v1/customers/01a2079b-e4fc-7495-b7df-4f93ed2d8138"),
        ("PUT", "/v1/customers/by-external-id/pos/1"),
    ],
)
async def test_a_field_of_the_shop_s_own_has_one_fault(client, method, path):
    attributes = {"foo": LONG, "size": {"eu": 39}, "tags": ["a", LONG, 1], "Ill named": 1}
    assert await faults_of(client, method, path, {"attributes": attributes}) == [
        ("/body/attributes/foo", "string_too_long"),
        ("/body/attributes/size", "union_type"),
        ("/body/attributes/tags/1", "string_too_long"),
        ("/body/attributes/tags/2", "string_type"),
        ("/body/attributes/Ill named", "string_pattern_mismatch"),
    ]


async def test_a_filter_and_a_form_have_one_fault_for_each_value(client):
    asked = {"size": {"in": [39, {"eu": 39}], "eq": {}}}
    wanted = {"resource": "customers", "format": "csv", "filter": {"attributes": asked}}
    found = await faults_of(client, "POST", "/v1/exports", wanted)
    assert [fault for fault in found if fault[0].startswith("/body/filter/attributes")] == [
        ("/body/filter/attributes/size/in/1", "union_type"),
        ("/body/filter/attributes/size/eq", "union_type"),
    ]
    path = f"/v1/lead-forms/{new_id()}/submissions"
    entered = {"entered": {"name": "x" * 10_001, "size": []}}
    assert await faults_of(client, "POST", path, entered) == [
        ("/body/entered/name", "string_too_long"),
        ("/body/entered/size", "union_type"),
    ]
