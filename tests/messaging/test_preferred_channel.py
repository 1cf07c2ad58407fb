"""A message that names no channel goes by the customer's preferred one, and says how it was so."""

from typing import Any

import httpx
import pytest
from sqlalchemy import text

from services.messaging.settings import MessagingSettings
from shared.contracts.customer import CustomerSnapshotted, CustomerState
from shared.contracts.privacy import CustomerErased
from shared.contracts.support_ticket import Recipient
from shared.ids import new_id
from shared.privacy.person import KnownPerson
from shared.security.keys import SecretBox
from tests.messaging.world import World, recipient
from tests.support.smtp import SmtpSink

CHOICE = ("channel", "channel_chosen_by", "unmet_preference", "unmet_preference_reason")
BY_PREFERENCE = ("email", "preference", None, None)
BY_ORDER = ("email", "fallback", None, None)
NAMED = ("email", "request", None, None)
NOT_BY_ZALO = ("email", "fallback", "zalo", "not_connected")
NOT_CHOSEN = ("email", None, None, None)

ANSWER = {
    "template": "ticket_reply",
    "variables": {"ticket": {"code": "T-7", "subject": "Hỏi"}, "reply": {"body": "Đáp"}},
}
GOLD = {
    "key": "greet_gold",
    "name": "Chào khách hàng vàng",
    "segment_key": "gold",
    "template": "thank_you_first_order",
}


def choice(told: dict[str, Any]) -> tuple[str | None, ...]:
    return tuple(told[name] for name in CHOICE)


async def ask(client: httpx.AsyncClient, customer: CustomerState, **more: Any) -> dict[str, Any]:
    """A client asks for a message to a customer."""
    to = {"customer_id": str(customer.customer_id), **more.pop("to", {})}
    body = {**ANSWER, "to": to, **more}
    response = await client.post("/v1/messages", json=body)
    assert response.status_code == 201, response.text
    planned: dict[str, Any] = response.json()
    return planned


async def read(client: httpx.AsyncClient, message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/v1/messages/{message['id']}")).json()
    return found


async def sent(shop: World, client: httpx.AsyncClient, customer: CustomerState, **more: Any):
    """How the channel of a message was chosen that was asked for and has left."""
    message = await ask(client, customer, **more)
    await shop.sends()
    found = await read(client, message)
    assert found["status"] == "sent", found
    return choice(found)


async def preferences(client: httpx.AsyncClient, customer: CustomerState) -> dict[str, Any]:
    response = await client.get(f"/v1/preferences/{customer.customer_id}")
    assert response.status_code == 200, response.text
    found: dict[str, Any] = response.json()
    return found


@pytest.mark.parametrize(
    ("preferred", "expected"),
    [
        ("email", BY_PREFERENCE),
        ("zalo", NOT_BY_ZALO),
        ("call", ("email", "fallback", "call", "not_connected")),
        (None, BY_ORDER),
    ],
)
async def test_a_message_without_a_channel_goes_by_what_is_preferred_or_can_be_had(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, preferred, expected
):
    duc = await shop.customer(preferred_channel=preferred)
    planned = await ask(client, duc)
    assert choice(planned) == NOT_CHOSEN

    await shop.sends()
    assert choice(await read(client, planned)) == expected
    assert choice(await shop.decision_on(planned)) == expected
    assert len(smtp.to(duc.email)) == 1
    (told,) = await shop.told("messaging.message_sent")
    assert told["message"]["channel_chosen_by"] == expected[1]
    assert told["message"]["unmet_preference"] == expected[2]


@pytest.mark.parametrize(
    "named", [{"channel": "email"}, {"to": {"email": "somewhere.else@example.com"}}]
)
async def test_a_channel_that_is_named_stays_as_named(
    shop: World, client: httpx.AsyncClient, named: dict[str, Any]
):
    duc = await shop.customer(preferred_channel="zalo")
    planned = await ask(client, duc, **named)
    assert choice(planned) == NAMED
    await shop.sends()
    found = await read(client, planned)
    assert (found["status"], choice(found)) == ("sent", NAMED)


async def test_what_is_said_before_a_message_leaves_counts(shop: World, client: httpx.AsyncClient):
    duc = await shop.customer(preferred_channel="zalo")
    planned = await ask(client, duc)
    duc = await shop.changes(duc, preferred_channel="email")
    await shop.sends()
    assert choice(await read(client, planned)) == BY_PREFERENCE
    await shop.changes(duc, preferred_channel=None)
    assert await sent(shop, client, duc) == BY_ORDER


async def test_a_message_that_is_tried_again_goes_the_way_it_went(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    duc = await shop.customer(preferred_channel="email")
    smtp.behaviour.refuse_recipient[duc.email] = "451 4.7.1 greylisted"
    planned = await ask(client, duc)
    await shop.sends()
    await shop.changes(duc, preferred_channel="zalo", email="other@example.com")
    waiting = await read(client, planned)
    assert (waiting["status"], choice(waiting)) == ("planned", BY_PREFERENCE)

    del smtp.behaviour.refuse_recipient[duc.email]
    shop.clock.advance(minutes=1)
    await shop.sends()
    again = await shop.message_to(duc)
    assert (again["status"], choice(again)) == ("sent", BY_PREFERENCE)
    assert (again["attempts"], len(smtp.to(duc.email))) == (2, 1)


async def test_a_message_waits_for_its_customer_and_chooses_then(
    shop: World, client: httpx.AsyncClient
):
    soon = shop.new_customer(preferred_channel="zalo")
    planned = await ask(client, soon)
    await shop.sends()
    waiting = await read(client, planned)
    assert (waiting["reason"], choice(waiting)) == ("RECIPIENT_UNKNOWN", NOT_CHOSEN)
    await shop.knows(soon)
    await shop.sends()
    assert choice(await read(client, planned)) == NOT_BY_ZALO


async def test_what_was_called_off_has_chosen_nothing(shop: World, client: httpx.AsyncClient):
    duc = await shop.customer(preferred_channel="zalo")
    planned = await ask(client, duc)
    cancelled = (await client.post(f"/v1/messages/{planned['id']}/cancel")).json()
    assert choice(cancelled) == NOT_CHOSEN


async def test_consent_is_looked_at_for_the_channel_that_is_taken(
    shop: World, client: httpx.AsyncClient
):
    silent = await shop.customer(consents=[], preferred_channel="zalo")
    planned = await ask(client, silent, message_class="care")
    await shop.sends()
    refused = await read(client, planned)
    assert (refused["reason"], choice(refused)) == ("NO_CONSENT", NOT_BY_ZALO)
    steps = {s["rule"]: s for s in (await shop.decision_on(planned))["steps"]}
    assert steps["consent"]["evidence"]["channel"] == "email"


async def test_where_nothing_is_connected_the_preference_says_what_is_wrong(open_shop):
    shop = await open_shop()
    duc = await shop.customer(preferred_channel="email")
    async with shop.client() as client:
        planned = await ask(client, duc)
        await shop.sends()
        failed = await read(client, planned)
        assert (failed["reason"], choice(failed)) == ("NO_CHANNEL", BY_PREFERENCE)
        known = await preferences(client, duc)
        assert known["channels"] == [{"channel": "email", "connected": False, "reachable": True}]


async def test_automations_go_by_the_preference_unless_they_name_a_channel(
    shop: World, client: httpx.AsyncClient
):
    free, named = [
        (await client.post("/v1/automations", json={**GOLD, "key": key, **more})).json()
        for key, more in (("free", {}), ("named", {"channel": "email"}))
    ]
    assert (free["channel"], named["channel"]) == (None, "email")

    async def chosen_for(customer: CustomerState) -> dict[str, Any]:
        await shop.enters(customer, segment_key="gold")
        await shop.sends()
        messages = await shop.messages(customer_id=customer.customer_id)
        return {each["origin_id"]: choice(each) for each in messages}

    duc = await shop.customer(preferred_channel="zalo")
    assert await chosen_for(duc) == {free["id"]: NOT_BY_ZALO, named["id"]: NAMED}

    # Each the other way round.
    for each, channel in ((free, "email"), (named, None)):
        path = f"/v1/automations/{each['id']}"
        changed = (await client.patch(path, json={"channel": channel})).json()
        assert (changed["channel"], changed["version"]) == (channel, each["version"] + 1)
        assert (await client.get(path)).json()["channel"] == channel
        kept = (await client.patch(path, json={"name": "Vàng"})).json()
        assert kept["channel"] == channel
    other = await shop.customer(preferred_channel="zalo")
    assert await chosen_for(other) == {free["id"]: NAMED, named["id"]: NOT_BY_ZALO}


async def test_an_answer_goes_the_way_the_question_came_and_else_by_the_preference(shop: World):
    duc = await shop.customer(preferred_channel="zalo")
    for channel, expected in (("email", NAMED), ("phone", NOT_BY_ZALO)):
        reply = await shop.replies(shop.ticket(duc, channel=channel), recipient(duc), "Xin chào")
        await shop.sends()
        (message,) = await shop.messages(origin_id=reply.message_id)
        assert (message["status"], choice(message)) == ("sent", expected)


async def test_a_survey_goes_by_the_preference_to_the_address_it_was_given(
    shop: World, smtp: SmtpSink
):
    duc = await shop.customer(preferred_channel="email")
    address = f"{new_id().hex}@example.com"
    url = "https://care.example.com/pages/surveys/x"
    await shop.invites(shop.ticket(duc), recipient(duc, email=address), url)
    await shop.sends()
    assert choice(await shop.message_to(duc)) == BY_PREFERENCE
    assert (len(smtp.to(address)), smtp.to(duc.email)) == (1, [])


async def test_who_is_no_customer_is_written_to_by_the_shops_order(shop: World):
    guest = Recipient(name="Khách lạ", email="guest@example.com")
    reply = await shop.replies(shop.ticket(None, channel="phone"), guest, "Xin chào")
    await shop.sends()
    (message,) = await shop.messages(origin_id=reply.message_id)
    assert choice(message) == BY_ORDER


async def test_of_a_person_with_several_records_the_one_that_stands_for_them_says_it(
    shop: World, client: httpx.AsyncClient
):
    till = await shop.customer(preferred_channel="email")
    web = await shop.customer(preferred_channel="zalo")
    merged = await shop.merges(till, web)
    for each in (till, web):
        assert await sent(shop, client, each) == NOT_BY_ZALO
        known = await preferences(client, each)
        assert (known["customer_id"], known["preferred_channel"]) == (str(web.customer_id), "zalo")
    await shop.parts(merged)
    assert await sent(shop, client, till) == BY_PREFERENCE


async def test_what_somebody_prefers_is_not_used_while_their_data_are_restricted(
    shop: World, client: httpx.AsyncClient
):
    duc = await shop.customer(preferred_channel="zalo")
    duc = await shop.changes(duc, restricted=True)
    assert (await preferences(client, duc))["preferred_channel"] is None
    assert await sent(shop, client, duc) == BY_ORDER
    duc = await shop.changes(duc, restricted=False)
    assert (await preferences(client, duc))["preferred_channel"] == "zalo"
    assert await sent(shop, client, duc) == NOT_BY_ZALO


async def test_why_somebody_restricted_was_not_written_to_can_be_asked(
    shop: World, client: httpx.AsyncClient
):
    duc = await shop.customer(restricted=True)
    planned = await ask(client, duc, message_class="care")
    await shop.sends()
    decision = await shop.decision_on(planned)
    assert decision["reason"] == "PROCESSING_RESTRICTED"
    assert "restriction" in [step["rule"] for step in decision["steps"]]


async def test_erasing_somebody_takes_their_preference_out_of_everything(
    shop: World, client: httpx.AsyncClient, messaging_settings: MessagingSettings
):
    duc = await shop.customer(preferred_channel="zalo")
    await sent(shop, client, duc)
    person = KnownPerson(customer_ids=(duc.customer_id,), emails=(duc.email,))
    erased = CustomerErased(
        erasure_id=new_id(),
        customer_id=duc.customer_id,
        customer_ids=person.customer_ids,
        erased_at=shop.clock.now(),
        sealed=person.sealed(SecretBox(messaging_settings.root_key)),
    )
    await shop.hears("customer", (duc.customer_id, erased))
    assert (await preferences(client, duc))["preferred_channel"] is None
    left = await shop.message_to(duc)
    assert choice(left) == ("email", "fallback", None, None)
    # What comes late brings nothing back.
    await shop.hears("customer", (duc.customer_id, CustomerSnapshotted(customer=duc)))
    assert (await preferences(client, duc))["preferred_channel"] is None


async def test_an_older_state_does_not_bring_an_older_preference_back(
    shop: World, client: httpx.AsyncClient
):
    before = await shop.customer(preferred_channel="zalo")
    await shop.changes(before, preferred_channel="email")
    await shop.hears("customer", (before.customer_id, CustomerSnapshotted(customer=before)))
    assert (await preferences(client, before))["preferred_channel"] == "email"


async def test_who_was_known_before_preferences_were_kept_has_theirs_when_told_again(
    shop: World, client: httpx.AsyncClient
):
    duc = await shop.customer(preferred_channel="zalo")
    async with shop.service.context.units.begin(shop.tenant) as uow:
        statement = text(
            "UPDATE messaging.recipient SET preferred_channel = NULL "
            "WHERE tenant_id = :tenant AND customer_id = :id"
        )
        await uow.execute(statement, {"tenant": shop.tenant, "id": duc.customer_id})
        await uow.commit()
    assert (await preferences(client, duc))["preferred_channel"] is None
    await shop.hears("customer", (duc.customer_id, CustomerSnapshotted(customer=duc)))
    assert (await preferences(client, duc))["preferred_channel"] == "zalo"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"preferred_channel": "email"}, BY_PREFERENCE),
        ({"preferred_channel": "zalo"}, NOT_BY_ZALO),
        ({}, BY_ORDER),
        ({"preferred_channel": "zalo", "email": None}, NOT_BY_ZALO),
    ],
)
async def test_preferences_tell_the_channel_that_would_be_taken(
    shop: World, client: httpx.AsyncClient, given: dict[str, Any], expected
):
    duc = await shop.customer(**given)
    known = await preferences(client, duc)
    assert known == {
        "object": "preferences",
        "customer_id": str(duc.customer_id),
        "preferred_channel": duc.preferred_channel,
        **dict(zip(CHOICE, expected, strict=True)),
        "channels": [{"channel": "email", "connected": True, "reachable": duc.email is not None}],
    }


async def test_preferences_of_somebody_unknown_or_of_another_shop_are_not_there(
    open_shop, client: httpx.AsyncClient
):
    theirs = await (await open_shop()).customer(preferred_channel="zalo")
    for customer_id in (theirs.customer_id, new_id()):
        response = await client.get(f"/v1/preferences/{customer_id}")
        assert (response.status_code, response.json()["code"]) == (404, "recipient_not_found")
