"""Consent, suppression and frequency, as they hold for real messages over the API."""

from typing import Any

import httpx
import pytest

from services.messaging.policies.records import FrequencyCap
from tests.messaging.world import World, consent, recipient
from tests.support.smtp import SmtpSink


async def advertise(client: httpx.AsyncClient, customer, message_class: str = "advertising") -> str:
    """Ask for an advertising message to a customer; its id."""
    body = {
        "template": "thank_you_first_order",
        "to": {"customer_id": str(customer.customer_id)},
        "message_class": message_class,
    }
    response = await client.post("/v1/messages", json=body)
    assert response.status_code == 201, response.text
    message_id: str = response.json()["id"]
    return message_id


async def status_of(client: httpx.AsyncClient, message_id: str) -> tuple[str, str | None]:
    message: dict[str, Any] = (await client.get(f"/v1/messages/{message_id}")).json()
    return message["status"], message["reason"]


@pytest.mark.capability(86)
async def test_without_consent_advertising_is_refused_with_the_reason(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    stranger = await shop.customer(consents=[])
    message_id = await advertise(client, stranger)
    await shop.sends()

    assert await status_of(client, message_id) == ("suppressed", "NO_CONSENT")
    assert smtp.to(stranger.email) == []
    decision = (await client.get(f"/v1/messages/{message_id}/decision")).json()
    assert decision["allowed"] is False
    assert decision["reason"] == "NO_CONSENT"
    steps = {step["rule"]: step for step in decision["steps"]}
    assert steps["consent"]["outcome"] == "stopped"
    assert steps["consent"]["evidence"] == {
        "purposes": ["marketing"],
        "channel": "email",
        "found": None,
    }
    assert steps["frequency_cap"]["evidence"]["counted"] == 0


async def test_a_refused_automation_tells_why(shop: World):
    stranger = await shop.customer(consents=[])
    await shop.enters(stranger)
    await shop.sends()

    (told,) = await shop.told("messaging.message_suppressed")
    assert told["message"]["reason"] == "NO_CONSENT"
    assert told["message"]["customer_id"] == str(stranger.customer_id)


async def test_a_consent_withdrawn_before_sending_holds(shop: World, client: httpx.AsyncClient):
    duc = await shop.customer()
    message_id = await advertise(client, duc)
    withdrawn = consent(shop.clock.now(), status="withdrawn")
    await shop.changes(duc, consents=(withdrawn,))
    await shop.sends()

    assert await status_of(client, message_id) == ("suppressed", "CONSENT_WITHDRAWN")


@pytest.mark.capability(82)
async def test_the_fourth_promotional_mail_in_a_day_is_skipped_and_allowed_the_day_after(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer()
    await shop.enters(duc)  # the automation's thank-you counts as well
    await shop.sends()
    first, second, third = [await advertise(client, duc) for _ in range(3)]
    await shop.sends()

    assert await status_of(client, first) == ("sent", None)
    assert await status_of(client, second) == ("sent", None)
    assert await status_of(client, third) == ("suppressed", "FREQUENCY_CAP")
    decision = (await client.get(f"/v1/messages/{third}/decision")).json()
    cap = next(s for s in decision["steps"] if s["rule"] == "frequency_cap")
    assert cap["evidence"] == {
        "classes": ["care", "advertising"],
        "window_hours": 24,
        "max_messages": 3,
        "counted": 3,
    }
    assert len(smtp.to(duc.email)) == 3

    shop.clock.advance(hours=24, seconds=1)
    async with shop.client() as client_of_tomorrow:
        later = await advertise(client_of_tomorrow, duc)
        await shop.sends()
        assert await status_of(client_of_tomorrow, later) == ("sent", None)


async def test_answers_to_requests_meet_no_cap(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer()
    for _ in range(3):
        await advertise(client, duc)
    await shop.replies(shop.ticket(duc), recipient(duc), "Chúng tôi đang kiểm tra.")
    await shop.sends()

    assert len(smtp.to(duc.email)) == 4


async def test_two_spellings_of_an_address_share_its_cap(shop: World, client: httpx.AsyncClient):
    one = await shop.customer()
    other = await shop.customer(email=one.email.upper())
    ids = [await advertise(client, who) for who in (one, other, one, other)]
    await shop.sends()

    statuses = [(await status_of(client, each))[0] for each in ids]
    assert statuses == ["sent", "sent", "sent", "suppressed"]


async def test_a_mail_that_could_not_leave_gives_its_place_back(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer()
    smtp.behaviour.refuse_content[duc.email] = "554 5.6.0 no"
    refused = [await advertise(client, duc) for _ in range(3)]
    await shop.sends()
    del smtp.behaviour.refuse_content[duc.email]
    fine = await advertise(client, duc)
    await shop.sends()

    assert {(await status_of(client, each))[0] for each in refused} == {"failed"}
    assert (await status_of(client, fine))[0] == "sent"


async def test_the_policy_can_be_read_and_replaced(shop: World, client: httpx.AsyncClient):
    before = await client.get("/v1/policies")
    assert before.json()["frequency_caps"] == [FrequencyCap().model_dump(mode="json")]

    caps = [{"classes": ["advertising"], "max_messages": 1, "window_hours": 48}]
    changed = await client.put(
        "/v1/policies", json={"frequency_caps": caps}, headers={"If-Match": before.headers["ETag"]}
    )
    assert changed.status_code == 200
    assert changed.json()["version"] == before.json()["version"] + 1

    duc = await shop.customer()
    first, second = await advertise(client, duc), await advertise(client, duc)
    care = await advertise(client, duc, "care")
    await shop.sends()
    assert await status_of(client, first) == ("sent", None)
    assert await status_of(client, second) == ("suppressed", "FREQUENCY_CAP")
    assert await status_of(client, care) == ("sent", None)


async def test_a_stale_change_of_the_policy_is_refused(shop: World, client: httpx.AsyncClient):
    stale = (await client.get("/v1/policies")).headers["ETag"]
    caps = {"frequency_caps": []}
    assert (await client.put("/v1/policies", json=caps)).status_code == 200
    again = await client.put("/v1/policies", json=caps, headers={"If-Match": stale})
    assert (again.status_code, again.json()["code"]) == (412, "stale_version")


@pytest.mark.parametrize(
    "cap",
    [
        {"max_messages": -1},
        {"window_hours": 0},
        {"classes": []},
        {"classes": ["transactional"]},
        {"unknown": 1},
    ],
)
async def test_an_impossible_cap_is_refused(client: httpx.AsyncClient, cap: dict[str, Any]):
    response = await client.put("/v1/policies", json={"frequency_caps": [cap]})
    assert response.status_code == 422


@pytest.mark.capability(31)
async def test_a_supplier_is_not_written_to_by_default(shop: World, client: httpx.AsyncClient):
    supplier = await shop.customer(relation="supplier", kind="organisation", consents=())
    await shop.enters(supplier)
    await shop.sends()
    [message] = (await client.get("/v1/messages")).json()["data"]
    assert (message["status"], message["reason"]) == ("suppressed", "NO_CONSENT")
