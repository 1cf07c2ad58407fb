"""Duplicate candidates over the API."""

import pytest

from shared.ids import new_id
from tests.customer.told import platform_customer


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


async def test_accepting_a_pair_merges_it_and_undoing_the_merge_asks_again(client, pair):
    path = f"/v1/duplicates/{pair['id']}"
    accepted = (await client.patch(path, json={"status": "merged"})).json()
    assert accepted["status"] == "merged"
    one = (await client.get(f"/v1/customers/{pair['newer_id']}")).json()
    assert one["id"] == pair["older_id"]
    assert (await client.get("/v1/duplicates")).json()["data"] == []
    refused = await client.patch(path, json={"status": "dismissed"})
    assert refused.status_code == 409
    assert refused.json()["merge_id"] == accepted["merge_id"]

    await client.post(f"/v1/merges/{accepted['merge_id']}/undo")
    again = (await client.get(path)).json()
    assert (again["status"], again["merge_id"]) == ("open", None)


async def test_the_newer_of_a_pair_may_be_the_one_that_stays(client, pair):
    body = {"status": "merged", "survivor_id": pair["newer_id"]}
    await client.patch(f"/v1/duplicates/{pair['id']}", json=body)
    one = (await client.get(f"/v1/customers/{pair['older_id']}")).json()
    assert one["id"] == pair["newer_id"]


@pytest.fixture
async def three(client):
    """Customers who have nothing in common."""
    answers = [await client.post("/v1/customers", json={"name": name}) for name in "ABC"]
    return [answer.json()["id"] for answer in answers]


async def _merge(client, stays, other):
    return await client.post(f"/v1/customers/{stays}/merges", json={"customer_ids": [other]})


@pytest.mark.capability(119)
async def test_two_told_apart_are_not_merged_by_whomever_they_are_merged_with(client, three):
    first, second, third = three
    told = await client.post("/v1/duplicates", json={"customer_id": first, "other_id": second})
    assert told.status_code == 201
    assert told.json()["status"] == "dismissed"
    await _merge(client, third, second)
    for stays, other in ((first, second), (second, first), (first, third), (third, first)):
        refused = await _merge(client, stays, other)
        assert refused.status_code == 409
        assert refused.json()["code"] == "never_merged"
        assert refused.json()["pairs"] == [sorted([first, third])]

    path = f"/v1/duplicates/{told.json()['id']}"
    assert (await client.patch(path, json={"status": "open"})).status_code == 200
    assert (await _merge(client, first, second)).status_code == 201


@pytest.mark.capability(119)
async def test_two_told_apart_are_proposed_again_by_none_of_their_records(
    client, service, shop, three
):
    first, second, third = three
    await client.post("/v1/duplicates", json={"customer_id": first, "other_id": second})
    await _merge(client, second, third)
    known = {"email": "lan@example.com", "email_verified": True}
    await client.patch(f"/v1/customers/{first}", json={**known, "phone": "0912345678"})
    await client.patch(f"/v1/customers/{third}", json={"phone": "0912345678"})
    # A platform tells of somebody who is the first by a proved address, and claims the number.
    said = {"email": "lan@example.com", "email_verified": True, "phone": "0912345678"}
    await service.receive(shop, "gateway", [platform_customer("5", **said)])
    put = await client.put("/v1/customers/by-external-id/shopify:x/9", json=said)
    assert put.json()["id"] == first
    assert (await client.get("/v1/duplicates")).json()["data"] == []


async def test_whoever_is_one_is_not_told_apart(client, three):
    first, second, _ = three
    merged = (await _merge(client, first, second)).json()
    body = {"customer_id": first, "other_id": second}
    refused = await client.post("/v1/duplicates", json=body)
    assert refused.json()["code"] == "same_customer"
    await client.post(f"/v1/merges/{merged['id']}/undo", params={"never_again": True})
    refused = await _merge(client, first, second)
    assert refused.json()["code"] == "never_merged"


async def test_pairs_of_a_person_are_found_by_each_of_their_records(client, pair, three):
    await _merge(client, three[0], pair["newer_id"])
    for customer_id in (three[0], pair["newer_id"], pair["older_id"]):
        listed = await client.get("/v1/duplicates", params={"customer_id": customer_id})
        assert [row["id"] for row in listed.json()["data"]] == [pair["id"]]
