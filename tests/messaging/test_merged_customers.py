"""One person with several records: written to where they can be reached, once, as they allow."""

from datetime import timedelta
from typing import Any

import httpx
import pytest
from sqlalchemy import text

from shared.contracts.customer import CustomerState
from shared.contracts.segmentation import BY_MERGE, BY_UNMERGE
from shared.ids import new_id
from tests.messaging.conftest import PUBLIC_URL
from tests.messaging.world import World, consent, recipient
from tests.support.smtp import SmtpSink, part

GOLD = {
    "key": "greet_gold",
    "name": "Chào khách hàng vàng",
    "segment_key": "gold",
    "template": "thank_you_first_order",
}


@pytest.fixture
async def couple(shop: World) -> tuple[CustomerState, CustomerState]:
    """Two records that were in no segment yet."""
    till = await shop.customer(code="KH000001", name="Đức")
    web = await shop.customer(code="KH000002", name="Duc Nguyen", locale="en-GB")
    return till, web


async def asks(client: httpx.AsyncClient, customer: CustomerState, **more: Any) -> dict[str, Any]:
    """A client asks for a message to a customer."""
    to = {"customer_id": str(customer.customer_id)}
    body = {"template": "thank_you_first_order", "to": to, "message_class": "care", **more}
    response = await client.post("/v1/messages", json=body)
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def automation(client: httpx.AsyncClient, **changes: Any) -> dict[str, Any]:
    response = await client.post("/v1/automations", json={**GOLD, **changes})
    assert response.status_code == 201, response.text
    created: dict[str, Any] = response.json()
    return created


async def read(client: httpx.AsyncClient, message: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = (await client.get(f"/v1/messages/{message['id']}")).json()
    return found


async def test_a_message_to_a_merged_record_goes_to_who_stands_for_it(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    till, web = couple
    await shop.orders(till, number="#TILL")
    merged = await shop.merges(till, web)
    message = await asks(client, till)
    await shop.sends()
    (mail,) = smtp.to(web.email)
    assert smtp.to(till.email) == []
    # Their name, their language, and the last order that came by any of their records.
    assert mail["Subject"] == "Thank you for your first order, Duc Nguyen"
    assert "#TILL" in part(mail, "plain")
    assert (await read(client, message))["customer_id"] == str(till.customer_id)

    await shop.parts(merged)
    await asks(client, till)
    await shop.sends()
    assert (len(smtp.to(till.email)), len(smtp.to(web.email))) == (1, 1)


async def test_who_stands_for_a_record_says_what_may_be_sent_to_it(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    till = await shop.customer()
    silent = await shop.customer(consents=[])
    merged = await shop.merges(till, silent)
    message = await asks(client, till)
    await shop.sends()
    assert (await read(client, message))["reason"] == "NO_CONSENT"
    await shop.parts(merged)
    again = await asks(client, till)
    await shop.sends()
    assert (await read(client, again))["status"] == "sent"


async def test_any_id_of_a_person_lists_all_messages_to_them(
    shop: World, client: httpx.AsyncClient, couple
):
    till, web = couple
    messages = [await asks(client, each) for each in (till, web, till)]
    newest_first = [message["id"] for message in reversed(messages)]
    merged = await shop.merges(till, web)
    for each in (till, web):
        listed = await shop.messages(customer_id=each.customer_id)
        assert [message["id"] for message in listed] == newest_first
    page = (
        await client.get("/v1/messages", params={"customer_id": str(web.customer_id), "limit": 2})
    ).json()
    assert [message["id"] for message in page["data"]] == newest_first[:2]
    planned = await shop.messages(customer_id=web.customer_id, status="planned")
    assert len(planned) == 3
    await shop.parts(merged)
    listed = await shop.messages(customer_id=web.customer_id)
    assert [message["id"] for message in listed] == [newest_first[1]]


async def test_a_cap_counts_all_addresses_of_a_person(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    till, web = couple
    for each in (till, web, till):
        await asks(client, each)
    await shop.sends()
    merged = await shop.merges(till, web)
    capped = await asks(client, web)
    await shop.sends()
    assert (await read(client, capped))["reason"] == "FREQUENCY_CAP"
    decision = await shop.decision_on(capped)
    (cap,) = [step for step in decision["steps"] if step["rule"] == "frequency_cap"]
    assert cap["evidence"]["counted"] == 3
    await shop.parts(merged)
    again = await asks(client, web)
    await shop.sends()
    assert (await read(client, again))["status"] == "sent"


async def test_messages_of_one_batch_count_against_a_persons_cap(
    shop: World, client: httpx.AsyncClient, couple
):
    till, web = couple
    await shop.merges(till, web)
    for each in (till, web, till, web):
        await asks(client, each)
    await shop.sends()
    statuses = sorted(m["status"] for m in await shop.messages(customer_id=web.customer_id))
    assert statuses == ["sent", "sent", "sent", "suppressed"]


async def test_a_person_is_thanked_once_though_two_of_their_records_came_in(
    shop: World, smtp: SmtpSink, couple
):
    till, web = couple
    await shop.enters(till, web)
    await shop.merges(till, web)
    await shop.sends()
    assert (len(smtp.to(web.email)), smtp.to(till.email)) == (1, [])
    (refused,) = await shop.messages(status="suppressed")
    assert refused["reason"] == "ALREADY_CARED_FOR"


async def test_a_person_who_was_thanked_by_another_record_is_not_thanked_for_a_merge(
    shop: World, smtp: SmtpSink, couple
):
    till, web = couple
    await shop.enters(till)
    await shop.sends()
    merged = await shop.merges(till, web)
    await shop.enters(web, reason=BY_MERGE)
    await shop.sends()
    assert (len(smtp.to(till.email)), smtp.to(web.email)) == (1, [])
    parted = await shop.parts(merged)
    await shop.enters(parted, reason=BY_UNMERGE)
    await shop.sends()
    assert len(smtp.to(till.email)) == 1


async def test_a_person_who_belongs_only_since_a_merge_is_cared_for(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    await automation(client, occurrence="every_entry")
    till, web = couple
    await shop.merges(till, web)
    for _ in range(2):
        await shop.enters(web, segment_key="gold", reason=BY_MERGE)
        await shop.sends()
    assert len(smtp.to(web.email)) == 1


async def test_every_entry_counts_for_who_stands_for_a_record(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    await automation(client, occurrence="every_entry")
    till, web = couple
    await shop.enters(till, segment_key="gold")
    await shop.sends()
    await shop.merges(till, web)
    await shop.enters(web, segment_key="gold", reason=BY_MERGE)
    await shop.sends()
    assert smtp.to(web.email) == []
    await shop.leaves(web, segment_key="gold")
    await shop.enters(web, segment_key="gold")
    await shop.sends()
    assert (len(smtp.to(till.email)), len(smtp.to(web.email))) == (1, 1)


async def test_an_undone_merge_sends_nothing_to_who_enters_again(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    await automation(client)
    till, web = couple
    parted = await shop.parts(await shop.merges(till, web))
    await shop.enters(parted, segment_key="gold", reason=BY_UNMERGE)
    await shop.sends()
    assert await shop.messages() == []


async def test_a_merged_record_that_enters_late_is_passed_over(
    shop: World, client: httpx.AsyncClient, couple
):
    await automation(client)
    till, web = couple
    await shop.merges(till, web)
    await shop.enters(till, web, segment_key="gold")
    (message,) = await shop.messages()
    assert message["customer_id"] == str(web.customer_id)


async def test_what_was_planned_for_a_record_before_it_was_merged_is_sent_to_the_person(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    """Though the one who stands for it has changed less often than the record itself."""
    await automation(client, delay_minutes=60)
    till, web = couple
    for _ in range(5):
        till = await shop.changes(till)
    await shop.enters(till, segment_key="gold")
    await shop.merges(till, web)
    shop.clock.advance(hours=2)
    await shop.sends()
    assert len(smtp.to(web.email)) == 1


async def test_stop_by_the_link_of_a_merged_record_holds_for_the_person_at_once(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    till, web = couple
    await asks(client, till)
    await shop.sends()
    (mail,) = smtp.to(till.email)
    merged = await shop.merges(till, web)
    path = mail["List-Unsubscribe"].strip("<>").removeprefix(PUBLIC_URL)
    async with shop.visitor() as visitor:
        assert (await visitor.get(path)).status_code == 200
        await visitor.post(path, data={"List-Unsubscribe": "One-Click"})
    (told,) = await shop.told("messaging.recipient_unsubscribed")
    assert told["customer_id"] == str(till.customer_id)

    stopped = await asks(client, web)
    answered = await asks(client, web, message_class="transactional")
    await shop.sends()
    assert (await read(client, stopped))["reason"] == "UNSUBSCRIBED"
    assert (await shop.decision_on(answered))["allowed"]

    await shop.parts(merged)
    again = await asks(client, web)
    await shop.sends()
    assert (await read(client, again))["status"] == "sent"


async def test_stop_at_another_address_does_not_outlast_a_later_yes(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    till, web = couple
    await asks(client, till)
    await shop.sends()
    (mail,) = smtp.to(till.email)
    path = mail["List-Unsubscribe"].strip("<>").removeprefix(PUBLIC_URL)
    async with shop.visitor() as visitor:
        await visitor.post(path, data={"List-Unsubscribe": "One-Click"})
    await shop.merges(till, web)
    since = shop.clock.now() + timedelta(seconds=1)
    await shop.changes(web, consents=(consent(since),))
    agreed = await asks(client, web)
    await shop.sends()
    assert (await read(client, agreed))["status"] == "sent"


async def test_words_from_either_address_are_one_persons(
    shop: World, client: httpx.AsyncClient, couple
):
    till, web = couple

    async def writes(external_id: str, email: str) -> str | None:
        body = {"channel": "email", "external_id": external_id, "text": "Chào"}
        response = await client.post(
            "/v1/inbound-messages", json={**body, "sender": {"email": email}}
        )
        found: str | None = response.json()["customer_id"]
        return found

    await shop.merges(till, web)
    assert await writes("1", till.email or "") == str(till.customer_id)
    assert await writes("2", web.email or "") == str(web.customer_id)
    for each in (till, web):
        asked = {"customer_id": str(each.customer_id), "channel": "email"}
        listed = (await client.get("/v1/inbound-messages", params=asked)).json()["data"]
        assert [message["external_id"] for message in listed] == ["2", "1"]


async def test_an_address_of_two_records_is_known_once_they_are_one_person(
    shop: World, client: httpx.AsyncClient
):
    till, web = [await shop.customer(email="both@example.com") for _ in range(2)]

    async def suppressed(scope: str) -> str | None:
        body = {"address": "both@example.com", "scope": scope}
        found: str | None = (await client.post("/v1/suppressions", json=body)).json()["customer_id"]
        return found

    assert await suppressed("marketing") is None
    await shop.merges(till, web)
    assert await suppressed("all") == str(web.customer_id)


async def test_an_answer_to_a_ticket_of_a_merged_record_reaches_the_person(
    shop: World, smtp: SmtpSink, couple
):
    till, web = couple
    await shop.merges(till, web)
    await shop.replies(shop.ticket(till), recipient(till, email=None, name=None), "Chào anh")
    await shop.sends()
    assert len(smtp.to(web.email)) == 1


async def test_of_several_merged_records_one_leaves_and_is_written_to_alone(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    root, first, second = [await shop.customer() for _ in range(3)]
    first, second = [await shop.merges(each, root) for each in (first, second)]
    first = await shop.parts(first)
    for each in (first, second):
        await asks(client, each)
    await shop.sends()
    assert (len(smtp.to(first.email)), len(smtp.to(root.email))) == (1, 1)
    assert len(await shop.messages(customer_id=second.customer_id)) == 1
    assert len(await shop.messages(customer_id=first.customer_id)) == 1


async def test_a_chain_ends_with_one_and_comes_apart_again(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    first, second, third = [await shop.customer() for _ in range(3)]
    first = await shop.merges(first, second)
    second = await shop.merges(second, third)
    first = await shop.merges(first, third)
    await asks(client, first)
    await shop.sends()
    assert len(smtp.to(third.email)) == 1
    assert len(await shop.messages(customer_id=second.customer_id)) == 1
    second = await shop.parts(second)
    await shop.parts(first, second)
    await asks(client, first)
    await shop.sends()
    assert (len(smtp.to(second.email)), len(smtp.to(third.email))) == (1, 1)


async def test_late_and_repeated_events_do_no_harm(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, couple
):
    till, web = couple
    merged = await shop.merges(till, web)
    await shop.merges(till, web)
    await shop.changes(till)
    await asks(client, till)
    await shop.sends()
    assert len(smtp.to(web.email)) == 1
    await shop.parts(merged)
    await shop.merges(till, web)
    await asks(client, till)
    await shop.sends()
    assert len(smtp.to(till.email)) == 1


async def test_a_customer_of_the_previous_release_stands_for_itself(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    old = new_id()
    address = f"old.{old.hex}@example.com"
    async with shop.service.context.units.begin(shop.tenant) as uow:
        await uow.execute(
            text(
                "INSERT INTO messaging.recipient (tenant_id, customer_id, version, code, stage, "
                "email, email_key, value_tier, orders_count, consents, updated_at) "
                "VALUES (:tenant, :id, 1, 'KH000007', 'customer', :email, :email, 'standard', 1, "
                "'[]', now())"
            ),
            {"tenant": shop.tenant, "id": old, "email": address},
        )
        await uow.commit()
    to = {"customer_id": str(old)}
    body = {"template": "thank_you_first_order", "to": to, "variables": {"last_order": {}}}
    response = await client.post("/v1/messages", json=body)
    assert response.status_code == 201
    await shop.sends()
    (message,) = await shop.messages(customer_id=old)
    assert message["address"] == address
