"""The figures of the care loop add up."""

import httpx

from tests.messaging.world import World, recipient
from tests.support.smtp import SmtpSink


async def counts(client: httpx.AsyncClient) -> dict[str, int]:
    response = await client.get("/v1/care-loop-counts")
    assert response.status_code == 200
    told: dict[str, int] = response.json()
    outcomes = ("sent", "suppressed", "failed", "unknown", "cancelled", "in_flight")
    assert told["messages_planned"] == sum(told[f"messages_{outcome}"] for outcome in outcomes)
    origins = ("automation", "ticket_reply", "survey", "api", "staff", "lead_form")
    assert told["messages_planned"] == sum(told[f"messages_from_{origin}"] for origin in origins)
    return told


async def test_a_new_shop_has_nothing_to_count(client: httpx.AsyncClient):
    assert set((await counts(client)).values()) == {0}


async def test_every_planned_message_is_counted_once_whatever_became_of_it(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    happy, silent, gone, lost = [
        await shop.customer(**values) for values in ({}, {"consents": []}, {}, {})
    ]
    smtp.behaviour.refuse_recipient[gone.email] = "550 5.1.1 gone"
    smtp.behaviour.hang_up_on.add(lost.email)
    await shop.enters(happy, silent, gone, lost)
    ticket = shop.ticket(happy)
    await shop.replies(ticket, recipient(happy), "Xin chào")
    await shop.invites(ticket, recipient(happy), "https://care.example.com/pages/survey/x")
    await shop.sends()
    body = {"template": "ticket_reply", "to": {"email": "an@example.com"}}
    cancelled = (await client.post("/v1/messages", json=body)).json()
    await client.post(f"/v1/messages/{cancelled['id']}/cancel")
    await client.post("/v1/messages", json=body)
    link = next(m for m in smtp.to(happy.email) if m["List-Unsubscribe"])["List-Unsubscribe"]
    async with shop.visitor() as visitor:
        path = link.strip("<>").removeprefix("https://care.example.com")
        await visitor.post(path, data={"List-Unsubscribe": "One-Click"})
    inbound = {"channel": "zalo", "external_id": "1", "text": "chào"}
    await client.post("/v1/inbound-messages", json=inbound)

    told = await counts(client)
    assert told == {
        **told,
        "messages_planned": 8,
        "messages_sent": 3,
        "messages_suppressed": 1,
        "messages_failed": 1,
        "messages_unknown": 1,
        "messages_cancelled": 1,
        "messages_in_flight": 1,
        "messages_from_automation": 4,
        "messages_from_ticket_reply": 1,
        "messages_from_survey": 1,
        "messages_from_api": 2,
        "messages_sent_from_automation": 1,
        "messages_sent_from_ticket_reply": 1,
        "messages_sent_from_survey": 1,
        "messages_sent_from_api": 0,
        "inbound_messages": 1,
        "unsubscribed": 1,
    }
