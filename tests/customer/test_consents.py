"""Consents: an append-only ledger, and what counts now."""

import pytest

from shared.contracts.messaging import RecipientUnsubscribed
from shared.ids import new_id
from tests.customer.told import DAY, later


@pytest.fixture
async def customer(client):
    body = {"name": "Lan", "email": "lan@example.com", "phone": "0912345678"}
    return (await client.post("/v1/customers", json=body)).json()


@pytest.fixture
def path(customer):
    return f"/v1/customers/{customer['id']}/consents"


@pytest.fixture
def unsubscribe(service, shop):
    async def told(**columns):
        known = {
            "customer_id": None,
            "channel": "email",
            "address": "lan@example.com",
            "at": later(days=1),
        }
        event = RecipientUnsubscribed(**{**known, **columns})
        await service.receive(shop, "messaging", [(new_id(), event)])

    return told


def answer(status="granted", **fields):
    return {"purpose": "marketing", "channel": "email", "status": status, **fields}


async def test_an_answer_is_kept_with_its_proof_and_counts(client, customer, path, service, shop):
    proof = {"wording": "Tôi đồng ý", "page": "/dang-ky"}
    sent = await client.post(path, json=answer(proof=proof, source="web"))
    assert sent.status_code == 201
    record = sent.json()
    assert (record["object"], record["proof"], record["source"]) == ("consent", proof, "web")
    read = (await client.get(path)).json()
    assert read["data"] == [record]
    [current] = read["current"]
    assert (current["channel"], current["status"]) == ("email", "granted")
    [told] = await service.told(shop, "customer.updated")
    assert told["customer"]["consents"][0]["status"] == "granted"
    after = (await client.get(f"/v1/customers/{customer['id']}")).json()
    assert after["consents"] == read["current"]
    assert after["version"] == 2


async def test_nothing_in_the_ledger_ever_changes(client, path):
    first = (await client.post(path, json=answer("granted"))).json()
    second = (await client.post(path, json=answer("withdrawn"))).json()
    read = (await client.get(path)).json()
    assert read["data"] == [second, first]
    assert [current["status"] for current in read["current"]] == ["withdrawn"]


async def test_a_late_answer_is_kept_and_does_not_count(client, path):
    await client.post(path, json=answer("withdrawn", at="2026-03-02T00:00:00Z"))
    await client.post(path, json=answer("granted", at="2026-03-01T00:00:00Z"))
    read = (await client.get(path)).json()
    assert [record["status"] for record in read["data"]] == ["withdrawn", "granted"]
    assert [current["status"] for current in read["current"]] == ["withdrawn"]


async def test_an_answer_of_the_future_is_refused(client, path):
    refused = await client.post(path, json=answer(at="2199-01-01T00:00:00Z"))
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/body/at"


async def test_who_unsubscribes_takes_the_consent_back(client, customer, path, unsubscribe):
    await client.post(path, json=answer(at=DAY.isoformat()))
    await unsubscribe(customer_id=customer["id"])
    read = (await client.get(path)).json()
    assert [(c["purpose"], c["status"]) for c in read["current"]] == [("marketing", "withdrawn")]
    assert read["data"][0]["source"] == "messaging"
    timeline = (await client.get(f"/v1/customers/{customer['id']}/timeline")).json()["data"]
    assert "consent.withdrawn" in [entry["type"] for entry in timeline]


async def test_who_wants_nothing_at_all_gets_nothing(client, path, unsubscribe):
    await unsubscribe(purpose="all", address="LAN@example.com")
    current = (await client.get(path)).json()["current"]
    assert [(c["purpose"], c["status"]) for c in current] == [
        ("care", "withdrawn"),
        ("marketing", "withdrawn"),
    ]


async def test_everybody_with_the_number_is_left_alone(client, path, unsubscribe):
    other = (
        await client.post("/v1/customers", json={"name": "Con của Lan", "phone": "0912345678"})
    ).json()
    await unsubscribe(channel="sms", address="+84912345678")
    for consents in (path, f"/v1/customers/{other['id']}/consents"):
        [current] = (await client.get(consents)).json()["current"]
        assert (current["channel"], current["status"]) == ("sms", "withdrawn")


async def test_an_unknown_address_harms_nobody(client, path, unsubscribe):
    await unsubscribe(address="stranger@example.com", customer_id=new_id())
    assert (await client.get(path)).json()["current"] == []


async def test_unknown_customers_have_no_consents(client):
    path = f"/v1/customers/{new_id()}/consents"
    assert (await client.get(path)).status_code == 404
    assert (await client.post(path, json=answer())).status_code == 404
