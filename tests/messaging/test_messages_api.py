"""The ledger over the API: planning, looking, calling off."""

from typing import Any

import httpx
import pytest

from shared.ids import new_id
from tests.messaging.world import World
from tests.support.smtp import SmtpSink, part

REPLY = {
    "template": "ticket_reply",
    "variables": {"ticket": {"code": "T-7", "subject": "Hỏi"}, "reply": {"body": "Đáp"}},
}


async def plan(client: httpx.AsyncClient, to: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = await client.post("/v1/messages", json={**REPLY, "to": to, **more})
    assert response.status_code == 201, response.text
    planned: dict[str, Any] = response.json()
    return planned


async def test_a_message_to_an_address_is_planned_and_sent(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    to = {"email": "an@example.com", "name": "An", "locale": "vi"}
    response = await client.post(
        "/v1/messages", json={**REPLY, "to": to, "reply_to": "hoidap@hoamai.example.com"}
    )
    assert response.status_code == 201
    planned = response.json()
    assert response.headers["location"] == f"/v1/messages/{planned['id']}"
    assert (planned["object"], planned["status"]) == ("message", "planned")
    assert planned["allowed_transitions"] == ["cancelled"]

    await shop.sends()
    sent = (await client.get(f"/v1/messages/{planned['id']}")).json()
    assert (sent["status"], sent["subject"]) == ("sent", "[T-7] Hỏi")
    assert sent["allowed_transitions"] == []
    mail = smtp.to("an@example.com")[-1]
    assert "Chào An" in part(mail, "plain")
    assert mail["Reply-To"] == "hoidap@hoamai.example.com"


async def test_the_same_request_twice_with_a_key_is_one_message(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    body = {**REPLY, "to": {"email": f"{new_id().hex}@example.com"}}
    headers = {"Idempotency-Key": "send-once"}
    first = await client.post("/v1/messages", json=body, headers=headers)
    second = await client.post("/v1/messages", json=body, headers=headers)
    assert first.json() == second.json()
    await shop.sends()
    assert len(smtp.to(body["to"]["email"])) == 1


async def test_two_requests_without_a_key_are_two_messages(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    to = {"email": f"{new_id().hex}@example.com"}
    await plan(client, to)
    await plan(client, to)
    await shop.sends()
    assert len(smtp.to(to["email"])) == 2


async def test_a_customer_can_be_written_to_before_it_is_known_here(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    soon = shop.new_customer()
    await plan(client, {"customer_id": str(soon.customer_id)})
    await shop.sends()
    assert (await shop.message_to(soon))["reason"] == "RECIPIENT_UNKNOWN"
    await shop.knows(soon)
    await shop.sends()
    assert len(smtp.to(soon.email)) == 1


async def test_a_planned_message_can_be_called_off_and_is_told_of(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    to = {"email": f"{new_id().hex}@example.com"}
    planned = await plan(client, to)
    path = f"/v1/messages/{planned['id']}/cancel"
    cancelled = (await client.post(path)).json()
    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "CANCELLED_BY_CLIENT")
    assert (await client.post(path)).json() == cancelled

    await shop.sends()
    assert smtp.to(to["email"]) == []
    (told,) = await shop.told("messaging.message_suppressed")
    assert told["message"]["status"] == "cancelled"


async def test_a_message_that_has_left_cannot_be_called_off(shop: World, client: httpx.AsyncClient):
    planned = await plan(client, {"email": "an@example.com"})
    await shop.sends()
    response = await client.post(f"/v1/messages/{planned['id']}/cancel")
    assert (response.status_code, response.json()["code"]) == (409, "message_not_cancellable")
    assert response.json()["allowed_transitions"] == []


async def test_messages_are_listed_by_status_customer_and_origin(
    shop: World, client: httpx.AsyncClient
):
    duc, stranger = await shop.customer(), await shop.customer(consents=[])
    await shop.enters(duc, stranger)
    await shop.sends()
    planned = await plan(client, {"customer_id": str(duc.customer_id)})

    async def ids(**params: Any) -> set[str]:
        page = (await client.get("/v1/messages", params=params)).json()
        return {message["id"] for message in page["data"]}

    everything = {m["id"]: m for m in await shop.messages()}
    assert len(everything) == 3
    by_status = {
        s: {i for i, m in everything.items() if m["status"] == s} for s in ("sent", "suppressed")
    }
    assert await ids(status="planned") == {planned["id"]}
    assert await ids(status="sent,suppressed") == by_status["sent"] | by_status["suppressed"]
    assert await ids(customer_id=str(stranger.customer_id)) == by_status["suppressed"]
    assert await ids(origin="api") == {planned["id"]}
    automation = everything[next(iter(by_status["sent"]))]["origin_id"]
    assert await ids(origin_id=automation) == by_status["sent"] | by_status["suppressed"]


async def test_messages_are_paged_planned_last_first(shop: World, client: httpx.AsyncClient):
    ids = [(await plan(client, {"email": f"a{n}@example.com"}))["id"] for n in range(5)]
    seen: list[str] = []
    params: dict[str, Any] = {"limit": 2}
    while True:
        page = (await client.get("/v1/messages", params=params)).json()
        seen += [message["id"] for message in page["data"]]
        if page["next_cursor"] is None:
            break
        params["cursor"] = page["next_cursor"]
    assert seen == ids[::-1]


async def test_an_undecided_message_has_no_decision_yet(shop: World, client: httpx.AsyncClient):
    planned = await plan(client, {"email": "an@example.com"})
    decision = await shop.decision_on(planned)
    assert (decision["allowed"], decision["steps"]) == (None, [])
    await shop.sends()
    decision = await shop.decision_on(planned)
    assert decision["allowed"] is True
    assert decision["template_version"] == 1
    assert decision["policy_version"] == 1
    outcomes = {step["rule"]: step["outcome"] for step in decision["steps"]}
    assert outcomes == {
        "suppression": "passed",
        "consent": "not_applicable",
        "frequency_cap": "not_applicable",
    }


async def test_another_shops_message_is_not_there(open_shop, client: httpx.AsyncClient):
    planned = await plan(client, {"email": "an@example.com"})
    other = await open_shop()
    async with other.client() as theirs:
        for path in (f"/v1/messages/{planned['id']}", f"/v1/messages/{planned['id']}/decision"):
            response = await theirs.get(path)
            assert (response.status_code, response.json()["code"]) == (404, "message_not_found")


async def test_an_unknown_template_is_refused_at_once(client: httpx.AsyncClient):
    body = {"template": "nothing", "to": {"email": "an@example.com"}}
    response = await client.post("/v1/messages", json=body)
    assert (response.status_code, response.json()["code"]) == (422, "unknown_template")
    assert response.json()["errors"][0]["pointer"] == "/body/template"


@pytest.mark.parametrize(
    "change",
    [
        {"to": {}},
        {"to": {"email": "no address"}},
        {"to": {"email": "a@example.com\r\nBcc: b@example.com"}},
        {"to": {"email": "a@example.com", "unknown": 1}},
        {"message_class": "spam"},
        {"channel": "pigeon"},
        {"template": "../../etc"},
    ],
)
async def test_a_malformed_message_is_refused(client: httpx.AsyncClient, change: dict[str, Any]):
    body = {**REPLY, "to": {"email": "a@example.com"}, **change}
    assert (await client.post("/v1/messages", json=body)).status_code == 422


async def test_an_unknown_status_in_the_filter_is_refused(client: httpx.AsyncClient):
    response = await client.get("/v1/messages", params={"status": "sent,gone"})
    assert response.status_code == 422
    assert response.json()["errors"][0]["pointer"] == "/query/status"


async def test_planning_needs_its_scope(shop: World):
    async with shop.client("messages:read") as reader:
        body = {**REPLY, "to": {"email": "a@example.com"}}
        assert (await reader.post("/v1/messages", json=body)).status_code == 403
        assert (await reader.get("/v1/messages")).status_code == 200
