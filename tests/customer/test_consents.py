"""Consents: an append-only ledger, and what counts now."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

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
    shown = {"proof": {"page": "/dang-ky"}} if status == "granted" else {}
    return {"purpose": "marketing", "channel": "email", "status": status, **shown, **fields}


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


async def test_what_proves_an_answer_is_masked_without_pii_read(client, path, service, shop):
    proof = {"ip": "203.0.113.7", "page": "/dang-ky?ho-ten=Lan", "wording": "Tôi đồng ý"}
    assert (await client.post(path, json=answer(proof=proof))).status_code == 201
    async with service.client(shop, "customers:read", sees_pii=False) as reader:
        [shown] = (await reader.get(path)).json()["data"]
    assert shown["proof"] == dict.fromkeys(proof, "***")
    assert shown["status"] == "granted"


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


async def test_of_two_answers_of_one_moment_the_no_counts_whichever_came_first(client, path):
    at = "2026-03-01T00:00:00Z"
    for channel, statuses in (
        ("email", ("withdrawn", "granted")),
        ("sms", ("granted", "withdrawn")),
    ):
        for status in statuses:
            said = answer(status, channel=channel, at=at)
            assert (await client.post(path, json=said)).status_code == 201
    read = (await client.get(path)).json()
    assert [current["status"] for current in read["current"]] == ["withdrawn", "withdrawn"]
    asked = (await client.get(path, params={"as_of": "2026-03-02T00:00:00Z"})).json()
    assert asked["current"] == read["current"]


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


@pytest.mark.parametrize(
    "refused",
    [
        answer(proof={}),
        answer(channel="any"),
        answer(purpose="profiling"),
        answer(legal_basis="legitimate_interest"),
        answer(act="ticked_for_them"),
    ],
)
async def test_nobody_agrees_by_default(client, path, refused):
    assert (await client.post(path, json=refused)).status_code == 422
    assert (await client.get(path)).json()["current"] == []


async def test_the_ledger_keeps_who_recorded_it_and_how_it_was_said(client, path):
    said = answer(act="signed_form", client_ip="203.0.113.7", user_agent="Kiosk 1")
    record = (await client.post(path, json=said)).json()
    assert (record["act"], record["actor_kind"], record["actor_id"]) == (
        "signed_form",
        "api_key",
        "test",
    )
    assert (record["client_ip"], record["user_agent"]) == ("203.0.113.7", "Kiosk 1")
    assert record["legal_basis"] == "consent"


async def test_what_counted_at_a_moment_can_be_asked_for(client, path):
    await client.post(path, json=answer(at="2026-03-01T00:00:00Z"))
    await client.post(path, json=answer("withdrawn", at="2026-03-10T00:00:00Z"))
    await client.post(path, json=answer(purpose="care", at="2026-03-20T00:00:00Z"))

    async def counted(**asked):
        page = (await client.get(path, params=asked)).json()
        return {c["purpose"]: c["status"] for c in page["current"]}, len(page["data"])

    assert await counted(as_of="2026-02-28T00:00:00Z") == ({}, 0)
    assert await counted(as_of="2026-03-05T00:00:00Z") == ({"marketing": "granted"}, 1)
    assert await counted(as_of="2026-03-10T00:00:00Z") == ({"marketing": "withdrawn"}, 2)
    assert await counted(as_of="2026-04-01T00:00:00Z") == (
        {"marketing": "withdrawn", "care": "granted"},
        3,
    )
    # None of it had been recorded then.
    assert await counted(known_at="2026-03-05T00:00:00Z") == ({}, 0)


async def test_the_database_refuses_to_change_an_answer(client, path, service, shop):
    record = (await client.post(path, json=answer())).json()
    named = {"tenant": shop, "id": record["id"]}
    for statement in (
        "UPDATE customer.consent_record SET status = 'withdrawn'",
        "UPDATE customer.consent_record SET changed_at = created_at",
        "DELETE FROM customer.consent_record",
    ):
        async with service.context.units.begin(shop) as uow:
            with pytest.raises(DBAPIError, match="permission denied"):
                await uow.execute(
                    text(f"{statement} WHERE tenant_id = :tenant AND id = :id"), named
                )
    assert (await client.get(path)).json()["data"] == [record]


def wording(**fields):
    return {
        "key": "newsletter",
        "purpose": "marketing",
        "channels": ["email"],
        "text": "Tôi đồng ý nhận tin khuyến mãi qua email",
        "content": "Ưu đãi",
        "method": "Gửi tự động",
        "form": "Email",
        "frequency": {"max_messages": 2, "per_days": 7},
        **fields,
    }


async def test_a_wording_is_agreed_to_with_its_promise(client, customer, path):
    text_id = (await client.post("/v1/consent-texts", json=wording())).json()["id"]
    record = (await client.post(path, json=answer(proof={}, text_id=text_id))).json()
    read = (await client.get(f"/v1/consent-texts/{text_id}")).json()
    assert record["text_digest"] == read["digest"]
    assert record["frequency"] == {"max_messages": 2, "per_days": 7}
    [current] = (await client.get(f"/v1/customers/{customer['id']}")).json()["consents"]
    assert current["frequency"] == {"max_messages": 2, "per_days": 7}
    other = await client.post(path, json=answer(purpose="care", text_id=text_id))
    assert other.json()["errors"][0]["pointer"] == "/body/text_id"


async def test_a_wording_never_changes(client):
    first = (await client.post("/v1/consent-texts", json=wording())).json()
    again = (await client.post("/v1/consent-texts", json=wording())).json()
    other = (await client.post("/v1/consent-texts", json=wording(text="Tôi đồng ý"))).json()
    assert again == first
    assert (first["version"], other["version"]) == (1, 2)
    listed = (await client.get("/v1/consent-texts", params={"key": "newsletter"})).json()
    assert listed["data"] == [other, first]
    promised = wording(frequency=None)
    assert (await client.post("/v1/consent-texts", json=promised)).status_code == 422


async def test_only_being_written_to_is_told_to_others(client, path, service, shop):
    said = answer(purpose="profiling", channel="any", proof={"page": "/"})
    assert (await client.post(path, json=said)).status_code == 201
    assert [c["purpose"] for c in (await client.get(path)).json()["current"]] == ["profiling"]
    [told] = await service.told(shop, "customer.updated")
    assert told["customer"]["consents"] == []


async def names(client, **params):
    answer = await client.get("/v1/customers", params=params)
    assert answer.status_code == 200, answer.text
    return [customer["name"] for customer in answer.json()["data"]]


async def test_a_yes_counts_until_it_expires_and_no_longer(client, customer, path):
    other = (await client.post("/v1/customers", json={"name": "Minh"})).json()
    over = {"at": "2026-01-01T00:00:00Z", "expires_at": "2026-02-01T00:00:00Z"}
    for whose, times in ((path, over), (f"/v1/customers/{other['id']}/consents", {})):
        until = {"expires_at": "2099-01-01T00:00:00Z"} | times
        assert (await client.post(whose, json=answer(**until))).status_code == 201
    [current] = (await client.get(path)).json()["current"]
    assert current["status"] == "expired"
    told = (await client.get(f"/v1/customers/{customer['id']}")).json()["consents"]
    assert told == [current]
    before = {"as_of": "2026-01-15T00:00:00Z"}
    [counted] = (await client.get(path, params=before)).json()["current"]
    assert counted["status"] == "granted"
    assert await names(client, consent="marketing.email") == ["Minh"]
    assert await names(client, no_consent="marketing.email") == ["Lan"]
    counts = await client.get(
        "/v1/customers", params={"consent": "marketing.email", "count": "exact"}
    )
    assert counts.json()["count"] == 1


async def test_of_several_consents_all_have_to_count(client, path):
    over = {"at": "2026-01-01T00:00:00Z", "expires_at": "2026-02-01T00:00:00.5Z"}
    await client.post(path, json=answer(**over))
    await client.post(path, json=answer(channel="zalo"))
    assert await names(client, consent="marketing.zalo") == ["Lan"]
    assert await names(client, consent="marketing.zalo,marketing.email") == []
    assert await names(client, no_consent="marketing.zalo,marketing.email") == ["Lan"]
    assert await names(client, no_consent="marketing.zalo") == []


@pytest.mark.parametrize("expires_at", ["2026-01-01T00:00:00Z", "2025-12-31T00:00:00Z"])
async def test_a_yes_expires_after_it_was_given(client, path, expires_at):
    body = answer(at="2026-01-01T00:00:00Z", expires_at=expires_at)
    refused = await client.post(path, json=body)
    assert refused.status_code == 422
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/body/expires_at", "not_after_the_answer")
