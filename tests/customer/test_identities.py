"""What customers are recognised by, since and until when: shared landlines and recycled numbers."""

import asyncio
from typing import Any

import httpx
import pytest

from shared.ids import new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.merging import Merging
from tests.customer.told import platform_customer

NUMBER, OTHER = "+84912345678", "+84987654321"


@pytest.fixture
def known(client: httpx.AsyncClient):
    async def made(**columns: Any) -> dict[str, Any]:
        answer = await client.post("/v1/customers", json={"name": "Lan", **columns})
        assert answer.status_code == 201, answer.text
        return answer.json()

    return made


@pytest.fixture
def identities_of(client: httpx.AsyncClient):
    async def read(customer: dict[str, Any]) -> list[dict[str, Any]]:
        answer = await client.get(f"/v1/customers/{customer['id']}/identities")
        return answer.json()["data"]

    return read


@pytest.fixture
def patch(client: httpx.AsyncClient):
    async def changed(customer: dict[str, Any], identity: dict[str, Any], **said: Any):
        path = f"/v1/customers/{customer['id']}/identities/{identity['id']}"
        return await client.patch(path, json=said)

    return changed


@pytest.fixture
def till(client: httpx.AsyncClient):
    """Has the till tell of one of its customers, whose number it has seen confirmed."""

    async def told(external_id: str, phone: str = NUMBER) -> str:
        body = {"name": "Somebody", "phone": phone, "phone_verified": True}
        path = f"/v1/customers/by-external-id/pos/{external_id}"
        answer = await client.put(path, json=body)
        assert answer.status_code in {200, 201}, answer.text
        return answer.json()["id"]

    return told


async def duplicates(client: httpx.AsyncClient) -> list[dict[str, Any]]:
    return (await client.get("/v1/duplicates")).json()["data"]


@pytest.mark.capability(122)
async def test_a_recycled_number_was_one_persons_and_is_anothers(
    client, known, identities_of, patch, till
):
    old = await known(phone=NUMBER, phone_verified=True)
    new = await known(name="Mai")
    body = {"kind": "phone", "value": NUMBER, "standing": "verified", "reason": "OTP"}
    path = f"/v1/customers/{new['id']}/identities"
    assert await till("1") == old["id"]
    taken = await client.post(path, json=body)
    assert (taken.status_code, taken.json()["customer_ids"]) == (409, [old["id"]])
    number = next(i for i in await identities_of(old) if i["kind"] == "phone")
    ended = await patch(old, number, valid_until="2026-03-01T00:00:00Z", reason="Đổi số")
    assert ended.status_code == 200, ended.text
    assert (ended.json()["standing"], ended.json()["version"]) == ("claimed", 2)
    assert ended.json()["verified_at"] == number["verified_at"]
    added = await client.post(path, json=body)
    assert added.status_code == 201, added.text
    assert added.json()["standing"] == "verified"
    # From now on it is hers; what came before the end stays with who had it.
    assert await till("2") == new["id"]
    assert await duplicates(client) == []
    assert await till("1") == old["id"]
    assert [i["valid_until"] for i in await identities_of(old)] == ["2026-03-01T00:00:00Z", None]
    assert (await client.get(f"/v1/customers/{old['id']}")).json()["phone"] is None


@pytest.mark.capability(122)
async def test_a_landline_of_a_household_links_nobody(client, known, identities_of, patch, till):
    lan = await known(phone=NUMBER, phone_verified=True)
    [number] = await identities_of(lan)
    shared = await patch(lan, number, shared=True)
    assert (shared.json()["shared"], shared.json()["standing"]) == (True, "claimed")
    first, second = await till("1"), await till("2")
    created = await known(name="Mai", phone=NUMBER, phone_verified=True)
    assert len({lan["id"], first, second, created["id"]}) == 4
    assert [(i["standing"], i["shared"]) for i in await identities_of(created)] == [
        ("claimed", True)
    ]
    own = [i for i in await identities_of({"id": first}) if i["kind"] == "phone"]
    assert [(i["standing"], i["shared"]) for i in own] == [("claimed", True)]
    # It still reaches them, and says nothing of who they are.
    assert (await client.get(f"/v1/customers/{lan['id']}")).json()["phone"] == NUMBER
    assert await duplicates(client) == []
    refused = await patch(lan, number, standing="verified", reason="OTP")
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_links_nobody")
    third = await known(name="Chi")
    body = {"kind": "phone", "value": NUMBER, "standing": "verified", "reason": "OTP"}
    refused = await client.post(f"/v1/customers/{third['id']}/identities", json=body)
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_links_nobody")
    changed = await client.patch(
        f"/v1/customers/{third['id']}", json={"phone": NUMBER, "phone_verified": True}
    )
    assert changed.json()["phone"] == NUMBER
    assert [i["shared"] for i in await identities_of(third)] == [True]


@pytest.mark.capability(119)
async def test_only_what_was_proved_links_by_itself(client, known, identities_of, patch, till):
    lan = await known(phone=NUMBER)
    assert await till("1") != lan["id"]
    [pair] = await duplicates(client)
    assert pair["reasons"] == ["same_phone_claimed"]
    chi = await known(name="Chi", phone=OTHER)
    [number] = await identities_of(chi)
    unproved = await patch(chi, number, standing="verified")
    assert (unproved.status_code, unproved.json()["errors"][0]["code"]) == (422, "reason_missing")
    proved = await patch(chi, number, standing="verified", reason="Khách đọc mã OTP")
    assert (proved.json()["standing"], proved.json()["reason"]) == ("verified", "Khách đọc mã OTP")
    assert await till("2", OTHER) == chi["id"]
    back = await patch(chi, proved.json(), standing="claimed")
    assert (back.json()["standing"], back.json()["verified_at"]) == ("claimed", None)
    assert await till("3", OTHER) != chi["id"]


async def test_of_many_who_prove_a_number_at_once_one_has_it(client, known, identities_of):
    people = [await known(name=f"Somebody {n}") for n in range(5)]
    body = {"kind": "phone", "value": NUMBER, "standing": "verified", "reason": "OTP"}
    answers = await asyncio.gather(
        *(client.post(f"/v1/customers/{one['id']}/identities", json=body) for one in people)
    )
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409, 409]
    assert {a.json()["code"] for a in answers if a.status_code == 409} == {"identity_taken"}


async def test_what_has_ended_does_not_come_back_by_itself(
    client, known, identities_of, patch, service, shop
):
    await service.receive(
        shop, "gateway", [platform_customer("7", phone=NUMBER, name="Lan", city="Huế")]
    )
    [lan] = (await client.get("/v1/customers")).json()["data"]
    number = next(i for i in await identities_of(lan) if i["kind"] == "phone")
    await patch(lan, number, valid_until="2026-03-01T00:00:00Z")
    told = {"phone": NUMBER, "name": "Lan", "city": "Vinh", "changed_at": None}
    await service.receive(shop, "gateway", [platform_customer("7", **told)])
    after = (await client.get(f"/v1/customers/{lan['id']}")).json()
    assert (after["phone"], after["city"]) == (None, "Vinh")
    refused = await client.patch(f"/v1/customers/{lan['id']}", json={"phone": NUMBER})
    assert (refused.status_code, refused.json()["code"]) == (409, "identity_ended")
    await client.patch(f"/v1/customers/{lan['id']}", json={"phone": OTHER})
    # Until somebody says that it is theirs again; when it was theirs before is remembered.
    body = {"kind": "phone", "value": "0912 345 678", "valid_from": "2026-05-01T00:00:00Z"}
    again = await client.post(f"/v1/customers/{lan['id']}/identities", json=body)
    assert (again.status_code, again.json()["id"]) == (201, number["id"])
    assert again.json()["earlier"] == [{"valid_from": None, "valid_until": "2026-03-01T00:00:00Z"}]
    assert again.json()["valid_until"] is None
    again = await client.patch(f"/v1/customers/{lan['id']}", json={"phone": NUMBER})
    assert again.json()["phone"] == NUMBER


async def test_an_identity_can_be_added_read_and_deleted(client, known, identities_of):
    lan = await known(email="lan@example.com")
    path = f"/v1/customers/{lan['id']}/identities"
    added = await client.post(path, json={"kind": "phone", "value": "0912 345 678"})
    assert (added.json()["value"], added.json()["original"]) == (NUMBER, "0912 345 678")
    assert (await client.get(added.headers["location"])).json() == added.json()
    again = await client.post(path, json={"kind": "phone", "value": NUMBER})
    assert (again.status_code, again.json()["code"]) == (409, "identity_exists")
    assert again.json()["identity_id"] == added.json()["id"]
    card = {"kind": "platform_id", "source": "pos", "value": "C-77"}
    card = (await client.post(path, json=card)).json()
    assert card["standing"] == "verified"
    found = await client.put("/v1/customers/by-external-id/pos/C-77", json={"city": "Huế"})
    assert found.json()["id"] == lan["id"]
    for body in ({"shared": True}, {"valid_until": "2026-03-01T00:00:00Z"}):
        refused = await client.patch(f"{path}/{card['id']}", json=body)
        assert refused.json()["code"] == "platform_id_is_for_ever"
    for identity in await identities_of(lan):
        stale = await client.delete(f"{path}/{identity['id']}", headers={"if-match": '"99"'})
        assert stale.status_code == 412
        assert (await client.delete(f"{path}/{identity['id']}")).status_code == 204
    assert await identities_of(lan) == []
    assert (await client.get(added.headers["location"])).json()["code"] == "identity_not_found"
    assert (await client.get(f"/v1/customers/{lan['id']}")).json()["email"] is None


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"kind": "phone", "value": "12"}, "phone"),
        ({"kind": "email", "value": "nobody"}, "email"),
        ({"kind": "phone", "value": NUMBER, "standing": "verified"}, "reason_missing"),
        (
            {"kind": "phone", "value": NUMBER, "standing": "verified", "reason": "a",
             "shared": True},
            "shared_and_verified",
        ),
        ({"kind": "phone", "value": NUMBER, "valid_from": "2190-01-01T00:00:00Z"},
         "in_the_future"),
    ],
)  # fmt: skip
async def test_what_is_no_identity_is_refused(client, known, body, code):
    lan = await known()
    refused = await client.post(f"/v1/customers/{lan['id']}/identities", json=body)
    assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)


async def test_times_that_are_none_are_refused(client, known, identities_of, patch):
    lan = await known(phone=NUMBER)
    [number] = await identities_of(lan)
    for times, code in (
        ({"valid_until": "2190-01-01T00:00:00Z"}, "in_the_future"),
        (
            {"valid_from": "2026-03-02T00:00:00Z", "valid_until": "2026-03-01T00:00:00Z"},
            "ends_before_it_begins",
        ),
    ):
        refused = await patch(lan, number, **times)
        assert (refused.status_code, refused.json()["errors"][0]["code"]) == (422, code)


async def test_identities_of_whom_one_does_not_see_are_not_there(service, shop, known, client):
    theirs = new_id()
    lan = await known(phone=NUMBER)
    [number] = (await client.get(f"/v1/customers/{lan['id']}/identities")).json()["data"]
    await service.receive(shop, "gateway", [])
    async with service.client(
        shop,
        *("customers:read", "customers:write"),
        kind=PrincipalKind.STAFF,
        actor_id=str(theirs),
        visibility=Visibility.OWN,
    ) as limited:
        path = f"/v1/customers/{new_id()}/identities/{number['id']}"
        assert (await limited.get(path)).json()["code"] == "customer_not_found"
        other = await known(name="Mai")
        path = f"/v1/customers/{other['id']}/identities/{number['id']}"
        for answer in (await limited.get(path), await limited.delete(path)):
            assert answer.json()["code"] == "identity_not_found"


async def _ended(client: httpx.AsyncClient, path: str) -> httpx.Response:
    return await client.patch(path, json={"valid_until": "2026-01-02T00:00:00Z"})


async def _deleted(client: httpx.AsyncClient, path: str) -> httpx.Response:
    return await client.delete(path)


@pytest.mark.parametrize("forget", [_ended, _deleted])
async def test_a_number_that_ended_while_they_were_one_does_not_come_back_when_they_part(
    client, known, identities_of, forget
):
    stays, other = await known(), await known(phone=NUMBER)
    people = Merging(client)
    merged = await people.merge(stays, other)
    [identity] = await identities_of(stays)
    path = f"/v1/customers/{stays['id']}/identities/{identity['id']}"
    assert (await forget(client, path)).is_success
    await people.undo(merged)
    assert [(await people.read(each))["phone"] for each in (stays, other)] == [None, None]


async def test_a_merged_record_that_is_named_keeps_the_number_that_it_has_when_they_part(
    client, known, identities_of
):
    stays, other = await known(), await known(phone=NUMBER)
    people = Merging(client)
    merged = await people.merge(stays, other)
    for number in ("0905000111", OTHER):
        changed = await client.patch(f"/v1/customers/{other['id']}", json={"phone": number})
        assert changed.status_code == 200, changed.text
    assert {each["value"] for each in await identities_of(stays)} == {NUMBER, OTHER}
    await people.undo(merged)
    assert (await people.read(other))["phone"] == NUMBER
    assert NUMBER in {each["value"] for each in await identities_of(other)}
