"""Automations over the API: set up, changed, paused, and what they plan."""

from typing import Any

import httpx
import pytest

from shared.ids import new_id
from tests.messaging.world import World
from tests.support.smtp import SmtpSink

GOLD = {
    "key": "greet_gold",
    "name": "Chào khách hàng vàng",
    "segment_key": "gold",
    "template": "thank_you_first_order",
    "message_class": "care",
}


async def create(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    response = await client.post("/v1/automations", json={**GOLD, **changes})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def test_a_new_shop_thanks_its_new_customers(client: httpx.AsyncClient):
    (default,) = (await client.get("/v1/automations")).json()["data"]
    assert (default["key"], default["segment_key"]) == ("thank_new_customers", "new_customers")
    assert (default["template"], default["status"]) == ("thank_you_first_order", "active")


async def test_an_automation_sends_to_who_enters_its_segment_and_nobody_else(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    created = await create(client)
    gold, silver = await shop.customer(), await shop.customer()
    await shop.enters(gold, segment_key="gold")
    await shop.enters(silver, segment_key="silver")
    await shop.sends()

    assert len(smtp.to(gold.email)) == 1
    assert smtp.to(silver.email) == []
    assert (await shop.message_to(gold))["origin_id"] == created["id"]


async def test_two_automations_of_one_segment_both_send(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    await create(client, key="one")
    await create(client, key="two")
    gold = await shop.customer()
    await shop.enters(gold, segment_key="gold")
    await shop.sends()
    assert len(smtp.to(gold.email)) == 2


async def test_every_entry_sends_again_only_when_asked_for(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    await create(client, occurrence="every_entry")
    gold = await shop.customer()
    for _ in range(2):
        await shop.enters(gold, segment_key="gold")
        await shop.sends()
    assert len(smtp.to(gold.email)) == 2


async def test_a_delay_is_kept(shop: World, client: httpx.AsyncClient, smtp: SmtpSink):
    await create(client, delay_minutes=90)
    gold = await shop.customer()
    await shop.enters(gold, segment_key="gold")
    shop.clock.advance(minutes=89)
    await shop.sends()
    assert smtp.to(gold.email) == []
    shop.clock.advance(minutes=2)
    await shop.sends()
    assert len(smtp.to(gold.email)) == 1


async def test_leaving_the_segment_calls_off_what_is_planned_when_the_automation_says_so(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    await create(client, key="stays", delay_minutes=60)
    leaving = await create(client, key="leaves", delay_minutes=60, cancel_on_exit=True)
    gold, other = await shop.customer(), await shop.customer()
    await shop.enters(gold, other, segment_key="gold")
    await shop.leaves(gold, segment_key="gold")
    shop.clock.advance(hours=2)
    await shop.sends()

    assert (len(smtp.to(gold.email)), len(smtp.to(other.email))) == (1, 2)
    (cancelled,) = await shop.messages(status="cancelled")
    assert cancelled["origin_id"] == leaving["id"]
    assert (cancelled["customer_id"], cancelled["reason"]) == (
        str(gold.customer_id),
        "LEFT_SEGMENT",
    )


async def test_pausing_holds_back_what_is_planned_and_resuming_lets_it_go(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    created = await create(client)
    path = f"/v1/automations/{created['id']}"
    before = await shop.customer()
    await shop.enters(before, segment_key="gold")
    paused = (await client.post(f"{path}/pause")).json()
    assert (paused["status"], paused["allowed_transitions"]) == ("paused", ["active"])

    during = await shop.customer()
    await shop.enters(during, segment_key="gold")
    await shop.sends()
    assert smtp.to(before.email) == []

    resumed = (await client.post(f"{path}/resume")).json()
    assert resumed["status"] == "active"
    assert resumed["version"] == created["version"] + 2
    await shop.sends()
    assert len(smtp.to(before.email)) == 1
    assert smtp.to(during.email) == []  # passed over, and it stays so


async def test_a_paused_automations_messages_stay_held_when_their_customer_becomes_known(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    created = await create(client)
    soon = shop.new_customer()
    await shop.enters(soon, segment_key="gold")
    await client.post(f"/v1/automations/{created['id']}/pause")
    await shop.knows(soon)
    await shop.sends()
    assert smtp.to(soon.email) == []
    await client.post(f"/v1/automations/{created['id']}/resume")
    await shop.sends()
    assert len(smtp.to(soon.email)) == 1


async def test_pausing_twice_is_pausing_once(client: httpx.AsyncClient):
    created = await create(client)
    path = f"/v1/automations/{created['id']}/pause"
    first, second = await client.post(path), await client.post(path)
    assert first.json() == second.json()


async def test_an_automation_is_changed_field_by_field(client: httpx.AsyncClient):
    created = await client.post("/v1/automations", json=GOLD)
    path = created.headers["location"]
    changed = await client.patch(
        path,
        json={"name": "Tên mới", "message_class": "advertising"},
        headers={"If-Match": created.headers["etag"]},
    )
    assert changed.status_code == 200
    expected = {"name": "Tên mới", "message_class": "advertising", "version": 2}
    unchanged = {k: v for k, v in created.json().items() if k not in (*expected, "updated_at")}
    assert {k: changed.json()[k] for k in unchanged} == unchanged
    assert {k: changed.json()[k] for k in expected} == expected
    assert (await client.get(path)).json() == changed.json()

    stale = await client.patch(path, json={}, headers={"If-Match": created.headers["etag"]})
    assert stale.status_code == 412


async def test_a_key_belongs_to_one_automation(client: httpx.AsyncClient):
    await create(client)
    response = await client.post("/v1/automations", json=GOLD)
    assert (response.status_code, response.json()["code"]) == (409, "automation_key_taken")


@pytest.mark.parametrize(
    "change",
    [
        {"template": "nothing"},
        {"message_class": "transactional"},
        {"delay_minutes": -1},
        {"key": "Not A Key"},
        {"occurrence": "twice"},
        {"unknown": 1},
    ],
)
async def test_a_malformed_automation_is_refused(client: httpx.AsyncClient, change: dict[str, Any]):
    response = await client.post("/v1/automations", json={**GOLD, **change})
    assert response.status_code == 422


async def test_null_clears_nothing_of_an_automation(client: httpx.AsyncClient):
    created = await create(client)
    response = await client.patch(f"/v1/automations/{created['id']}", json={"name": None})
    assert response.status_code == 422


async def test_another_shops_automation_is_not_there(open_shop, client: httpx.AsyncClient):
    created = await create(client)
    other = await open_shop()
    async with other.client() as theirs:
        path = f"/v1/automations/{created['id']}"
        assert (await theirs.get(path)).status_code == 404
        assert (await theirs.post(f"{path}/pause")).status_code == 404


async def test_an_automations_audit_adds_up_and_says_why(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    created = await create(client)
    fine, silent, gone, lost = [
        await shop.customer(**values) for values in ({}, {"consents": []}, {}, {})
    ]
    smtp.behaviour.refuse_recipient[gone.email] = "550 5.1.1 gone"
    smtp.behaviour.hang_up_on.add(lost.email)
    await shop.enters(fine, silent, gone, lost, new_id(), segment_key="gold")
    await shop.sends()

    audit = (await client.get(f"/v1/automations/{created['id']}/audit")).json()
    assert audit == {
        "object": "automation_audit",
        "automation_id": created["id"],
        "planned": 5,
        "sent": 1,
        "suppressed": 1,
        "failed": 1,
        "unknown": 1,
        "cancelled": 0,
        "in_flight": 1,
        "reasons": {
            "NO_CONSENT": 1,
            "RECIPIENT_REFUSED": 1,
            "OUTCOME_UNKNOWN": 1,
            "RECIPIENT_UNKNOWN": 1,
        },
    }
