"""Contact persons of organisations, over the API."""

import asyncio

import pytest

from shared.ids import new_id

MAI = {
    "name": "Trần Thị Mai",
    "position": "Kế toán trưởng",
    "email": "Mai@Hoa-Mai.vn",
    "phone": "0912 345 678",
    "note": "Gọi buổi sáng",
}


@pytest.fixture
async def firm(client):
    said = {"name": "Công ty Hoa Mai", "kind": "organisation", "tax_code": "0312345678"}
    made = await client.post("/v1/customers", json=said)
    return f"/v1/customers/{made.json()['id']}"


@pytest.mark.capability(6)
async def test_an_organisation_is_kept_with_its_tax_code_and_whom_to_speak_to(client, firm):
    answer = await client.post(f"{firm}/contacts", json=MAI)
    assert answer.status_code == 201
    made = answer.json()
    assert made["email"] == "mai@hoa-mai.vn"
    assert made["phone"] == "+84912345678"
    assert made["is_primary"]

    assert (await client.get(f"{firm}/contacts")).json()["data"] == [made]
    read = (await client.get(firm)).json()
    assert (read["kind"], read["tax_code"]) == ("organisation", "0312345678")
    lan = (await client.post("/v1/customers", json={"name": "Lan"})).json()
    assert lan["kind"] == "person"


async def test_a_contact_is_changed_by_those_who_know_its_version(client, firm):
    made = (await client.post(f"{firm}/contacts", json=MAI)).json()
    path = f"{firm}/contacts/{made['id']}"

    after = await client.patch(
        path, json={"phone": None, "position": "Giám đốc"}, headers={"If-Match": '"1"'}
    )
    assert (after.json()["phone"], after.json()["position"]) == (None, "Giám đốc")
    assert after.json()["note"] == MAI["note"]
    stale = await client.patch(path, json={"name": "Mai"}, headers={"If-Match": '"1"'})
    assert stale.status_code == 412
    assert (await client.get(path)).headers["etag"] == '"2"'


async def test_one_of_them_is_the_primary_one(client, firm):
    made = await asyncio.gather(
        *(
            client.post(f"{firm}/contacts", json={"name": f"N{n}", "is_primary": True})
            for n in "abc"
        )
    )
    assert {answer.status_code for answer in made} == {201}

    listed = (await client.get(f"{firm}/contacts")).json()["data"]
    assert [row["is_primary"] for row in listed] == [True, False, False]
    assert (await client.delete(f"{firm}/contacts/{listed[0]['id']}")).status_code == 204
    assert len((await client.get(f"{firm}/contacts")).json()["data"]) == 2


async def test_what_cannot_be_is_refused_by_name(client, firm):
    wrong = await client.post(f"{firm}/contacts", json={"name": "Mai", "phone": "12"})
    assert (wrong.status_code, wrong.json()["code"]) == (422, "phone_not_valid")
    nobody = await client.get(f"{firm}/contacts/{new_id()}")
    assert (nobody.status_code, nobody.json()["code"]) == (404, "contact_not_found")
    other = (await client.post("/v1/customers", json={"name": "Lan"})).json()
    made = (await client.post(f"{firm}/contacts", json=MAI)).json()
    elsewhere = await client.delete(f"/v1/customers/{other['id']}/contacts/{made['id']}")
    assert elsewhere.json()["code"] == "contact_not_found"


async def test_their_numbers_recognise_nobody(client, firm):
    await client.post(f"{firm}/contacts", json=MAI)
    await client.post("/v1/customers", json={"name": "Lan", "phone": MAI["phone"]})

    assert (await client.get("/v1/duplicates")).json()["data"] == []


async def test_of_a_merged_customer_one_contact_is_the_primary_one_until_they_part(client, firm):
    branch = (await client.post("/v1/customers", json={"name": "Chi nhánh"})).json()["id"]
    where, made = {firm: "Mai", f"/v1/customers/{branch}": "Lan"}, {}
    for who, name in where.items():
        answer = await client.post(f"{who}/contacts", json={"name": name})
        made[who] = answer.json()["id"]

    async def shown(who):
        found = (await client.get(f"{who}/contacts")).json()["data"]
        return [(one["id"], one["is_primary"]) for one in found]

    of_firm, of_branch = made.values()
    merged = await client.post(f"{firm}/merges", json={"customer_ids": [branch]})
    assert merged.status_code == 201, merged.text
    assert await shown(firm) == [(of_firm, True), (of_branch, False)]
    assert (await client.post(f"/v1/merges/{merged.json()['id']}/undo")).status_code == 200
    for who, contact in made.items():
        assert await shown(who) == [(contact, True)]
