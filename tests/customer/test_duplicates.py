"""Duplicate candidates over the API."""

import pytest

from shared.ids import new_id


@pytest.fixture
async def pair(client):
    """Two customers with one number, and the candidate they make."""
    for name in ("Lan", "Lan Nguyễn"):
        body = {"name": name, "phone": "0912345678"}
        assert (await client.post("/v1/customers", json=body)).status_code == 201
    [candidate] = (await client.get("/v1/duplicates")).json()["data"]
    return candidate


@pytest.mark.capability(16)
async def test_the_same_number_is_reported_with_reasons_and_score(client, pair):
    assert pair["object"] == "duplicate_candidate"
    assert pair["reasons"] == ["same_phone_claimed"]
    assert pair["score"] == 40
    listed = await client.get("/v1/duplicates", params={"customer_id": pair["newer_id"]})
    assert listed.json()["data"] == [pair]
    nobody = await client.get("/v1/duplicates", params={"customer_id": str(new_id())})
    assert nobody.json()["data"] == []


async def test_more_evidence_raises_the_score(client, pair):
    for customer_id in (pair["older_id"], pair["newer_id"]):
        await client.patch(f"/v1/customers/{customer_id}", json={"email": "lan@example.com"})
    [after] = (await client.get("/v1/duplicates")).json()["data"]
    assert after["id"] == pair["id"]
    assert after["score"] > pair["score"]
    assert after["version"] == 2


async def test_two_people_told_apart_are_never_proposed_again(client, pair):
    path = f"/v1/duplicates/{pair['id']}"
    decided = await client.patch(path, json={"status": "dismissed"})
    assert decided.json()["status"] == "dismissed"
    for customer_id in (pair["older_id"], pair["newer_id"]):
        await client.patch(f"/v1/customers/{customer_id}", json={"email": "lan@example.com"})
    assert (await client.get("/v1/duplicates")).json()["data"] == []
    assert (await client.get(path)).json()["status"] == "dismissed"


async def test_a_stale_decision_is_refused(client, pair):
    path = f"/v1/duplicates/{pair['id']}"
    await client.patch(path, json={"status": "dismissed"}, headers={"if-match": '"1"'})
    stale = await client.patch(path, json={"status": "open"}, headers={"if-match": '"1"'})
    assert stale.status_code == 412


async def test_another_shop_cannot_reach_a_pair(service, open_shop, pair):
    async with service.client(await open_shop(), "duplicates:read", "duplicates:write") as other:
        path = f"/v1/duplicates/{pair['id']}"
        assert (await other.get(path)).status_code == 404
        assert (await other.patch(path, json={"status": "dismissed"})).status_code == 404
