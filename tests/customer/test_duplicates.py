"""Duplicate candidates over the API."""

from uuid import UUID

import pytest
from sqlalchemy import text as sql

from services.customer.duplicates.candidate_repository import CandidateFilter, CandidateRepository
from services.customer.duplicates.repository import DuplicateRepository, Proposal
from shared.db.paging import PageRequest
from shared.ids import new_id
from shared.security.sight import Sight
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
    assert pair["reasons"] == ["same_phone_claimed", "partial_name"]
    assert pair["score"] == 69
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
    assert after["version"] > pair["version"]


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


async def test_a_pair_is_withdrawn_when_what_they_shared_is_gone(client, pair):
    path = f"/v1/customers/{pair['older_id']}"
    assert (await client.patch(path, json={"phone": None})).status_code == 200
    assert (await client.get("/v1/duplicates")).json()["data"] == []
    assert (await client.get(f"/v1/duplicates/{pair['id']}")).status_code == 404
    # It was no decision: who shares it again is asked about again.
    await client.patch(path, json={"phone": "0912345678"})
    [again] = (await client.get("/v1/duplicates")).json()["data"]
    assert (again["score"], again["reasons"]) == (pair["score"], pair["reasons"])


async def test_a_pair_keeps_what_still_speaks_for_it(client, pair):
    for customer_id in (pair["older_id"], pair["newer_id"]):
        await client.patch(f"/v1/customers/{customer_id}", json={"email": "lan@example.com"})
    [raised] = (await client.get("/v1/duplicates")).json()["data"]
    identities = f"/v1/customers/{pair['newer_id']}/identities"
    held = (await client.get(identities)).json()["data"]
    [email] = [identity for identity in held if identity["kind"] == "email"]
    moved = {"valid_until": "2026-01-01T00:00:00Z"}
    ended = await client.patch(f"{identities}/{email['id']}", json=moved)
    assert ended.status_code == 200, ended.text
    [lowered] = (await client.get("/v1/duplicates")).json()["data"]
    assert lowered["score"] <= raised["score"]
    assert lowered["version"] > raised["version"]
    assert "same_email_claimed" not in lowered["reasons"]
    assert "same_phone_claimed" in lowered["reasons"]


async def test_a_pair_that_a_person_has_named_stays_whatever_is_changed(client, pair):
    both = {"customer_id": pair["older_id"], "other_id": pair["newer_id"], "status": "dismissed"}
    assert (await client.post("/v1/duplicates", json=both)).status_code == 201
    third = (await client.post("/v1/customers", json={"name": "Mai", "phone": "0987000111"})).json()
    named = {"customer_id": pair["older_id"], "other_id": third["id"], "status": "open"}
    by_hand = (await client.post("/v1/duplicates", json=named)).json()
    await client.patch(f"/v1/customers/{pair['older_id']}", json={"phone": None, "name": "Hoa"})
    assert (await client.get(f"/v1/duplicates/{by_hand['id']}")).json()["status"] == "open"
    assert (await client.get(f"/v1/duplicates/{pair['id']}")).json()["status"] == "dismissed"


async def test_another_identity_of_a_merged_record_makes_no_pair_with_themselves(client):
    both = [
        (await client.post("/v1/customers", json={"name": name})).json()["id"]
        for name in ("An", "Bo")
    ]
    await client.post(f"/v1/customers/{both[0]}/merges", json={"customer_ids": [both[1]]})
    for customer_id in both:
        said = {"kind": "phone", "value": "0912345678"}
        added = await client.post(f"/v1/customers/{customer_id}/identities", json=said)
        assert added.status_code == 201, added.text
    assert (await client.get("/v1/duplicates")).json()["data"] == []


async def test_a_pair_is_lowered_when_less_speaks_for_it(client):
    made = []
    for name in ("Nguyễn Thị Lan", "nguyen thi lan"):
        body = {"name": name, "phone": "0912345678", "email": "lan@example.com"}
        made.append((await client.post("/v1/customers", json=body)).json())
    [before] = (await client.get("/v1/duplicates")).json()["data"]
    assert set(before["reasons"]) == {"same_email_claimed", "same_phone_claimed", "same_name"}
    said = {"email": "mai@example.com", "name": "Trần Ngọc Mai"}
    await client.patch(f"/v1/customers/{made[1]['id']}", json=said)
    [after] = (await client.get("/v1/duplicates")).json()["data"]
    assert after["id"] == before["id"]
    assert after["score"] <= 15
    assert after["reasons"] == ["same_phone_claimed"]


async def test_pairs_of_a_rare_reason_are_looked_for_a_piece_at_a_time(service, shop, client):
    first, *others = [
        UUID((await client.post("/v1/customers", json={"name": f"Người {n}"})).json()["id"])
        for n in range(8)
    ]
    units = service.context.units
    for number, other in enumerate(others):
        reason = "same_tax_code" if number == 1 else "same_name"
        async with units.begin(shop) as uow:
            await DuplicateRepository(uow).propose([Proposal(first, other, 30, [reason])])
            await uow.commit()

    pages = []
    request = PageRequest(limit=2, cursor=None)
    wanted = CandidateFilter(reason="same_tax_code")
    while True:
        async with units.begin(shop) as uow:
            rows, cursor = await CandidateRepository(uow, walk=3).page(
                status="open", wanted=wanted, sort="-created_at", request=request
            )
        pages.append([row.newer_id for row in rows])
        if cursor is None:
            break
        request = PageRequest(limit=2, cursor=cursor)
    # Newest first: the sixth of seven is the one, and three are looked at for each page.
    assert pages == [[], [others[1]], []]
    asked = {"reason": "same_name", "limit": 4}
    found = (await client.get("/v1/duplicates", params=asked)).json()
    assert [pair["newer_id"] for pair in found["data"]] == [str(each) for each in others[:2:-1]]
    rest = await client.get("/v1/duplicates", params={**asked, "cursor": found["next_cursor"]})
    assert [p["newer_id"] for p in rest.json()["data"]] == [str(others[2]), str(others[0])]
    assert rest.json()["next_cursor"] is None


async def test_pairs_of_whom_one_sees_are_looked_for_a_piece_at_a_time(service, shop, client):
    first, *others = [
        UUID((await client.post("/v1/customers", json={"name": f"Người {n}"})).json()["id"])
        for n in range(8)
    ]
    units = service.context.units
    for other in others:
        async with units.begin(shop) as uow:
            await DuplicateRepository(uow).propose([Proposal(first, other, 30, ["same_name"])])
            await uow.commit()
    somebody_elses = sql(
        "UPDATE customer.customer SET owner_id = :owner "
        "WHERE tenant_id = :tenant AND id = ANY(:ids)"
    )
    async with units.begin(shop) as uow:
        taken = {"tenant": shop, "ids": others[2:], "owner": new_id()}
        await uow.execute(somebody_elses, taken)
        await uow.commit()

    pages = []
    request = PageRequest(limit=2, cursor=None)
    while True:
        async with units.begin(shop) as uow:
            sight = Sight(new_id(), of_teams=False)
            rows, cursor = await CandidateRepository(uow, sight=sight, walk=3).page(
                status="open", wanted=CandidateFilter(), sort="-created_at", request=request
            )
        pages.append([row.newer_id for row in rows])
        if cursor is None:
            break
        request = PageRequest(limit=2, cursor=cursor)
    # Newest first: the last two of seven are seen, and three are looked at for each page.
    assert pages == [[], [others[1]], [others[0]]]
