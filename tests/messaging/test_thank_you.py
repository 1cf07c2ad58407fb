"""The care loop's thank-you: a customer enters a segment, a real e-mail arrives, once."""

from datetime import timedelta

import pytest

from shared.contracts.segmentation import SegmentEntered
from shared.ids import new_id
from tests.messaging.conftest import PUBLIC_URL
from tests.messaging.world import World, consent
from tests.support.smtp import SmtpSink, part


async def test_a_new_customer_is_thanked_in_vietnamese(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    await shop.orders(duc)
    await shop.enters(duc)
    await shop.sends()

    (mail,) = smtp.to(duc.email)
    assert mail["Subject"] == "Cửa hàng Hoa Mai cảm ơn Nguyễn Văn Đức đã mua hàng"
    assert mail["From"].addresses[0].display_name == "Cửa hàng Hoa Mai"
    assert mail["From"].addresses[0].addr_spec == "cskh@hoamai.example.com"
    assert mail["To"].addresses[0].display_name == "Nguyễn Văn Đức"
    assert mail.get_content_type() == "multipart/alternative"
    assert "Chào Nguyễn Văn Đức" in part(mail, "plain")
    assert "(#1001, 1.250.000" in part(mail, "plain")
    assert "<strong>#1001</strong>" in part(mail, "html")


async def test_an_english_speaker_is_thanked_in_english(shop: World, smtp: SmtpSink):
    ann = await shop.customer(name="Ann Smith", locale="en-GB")
    await shop.enters(ann)
    await shop.sends()

    (mail,) = smtp.to(ann.email)
    assert mail["Subject"] == "Thank you for your first order, Ann Smith"
    assert mail["Content-Language"] == "en"


async def test_the_mail_is_on_the_wire_in_ascii(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    await shop.enters(duc)
    await shop.sends()

    raw = next(e for e in smtp.envelopes if duc.email in e.rcpt_tos).original_content
    assert raw.isascii()
    assert b"Subject: =?utf-8?" in raw
    assert max(len(line) for line in raw.split(b"\r\n")) <= 998


async def test_the_mail_has_the_headers_that_providers_ask_for(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    await shop.enters(duc)
    await shop.sends()

    (mail,) = smtp.to(duc.email)
    message = await shop.message_to(duc)
    expected_id = f"<{message['id'].replace('-', '')}@hoamai.example.com>"
    assert mail["Message-ID"] == expected_id
    assert abs(mail["Date"].datetime - shop.clock.now()) < timedelta(minutes=1)
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["List-Unsubscribe"].startswith(f"<{PUBLIC_URL}/pages/unsubscribe/")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    link = mail["List-Unsubscribe"].strip("<>")
    assert link in part(mail, "plain")
    assert link in part(mail, "html")


async def test_the_outcome_is_told_with_the_full_state(shop: World):
    duc = await shop.customer()
    await shop.enters(duc)
    await shop.sends()

    (told,) = await shop.told("messaging.message_sent")
    message = await shop.message_to(duc)
    assert told["message"]["message_id"] == message["id"]
    assert told["message"]["customer_id"] == str(duc.customer_id)
    assert told["message"]["status"] == message["status"] == "sent"
    assert told["message"]["version"] == message["version"]
    assert told["message"]["origin"] == "automation"
    assert told["message"]["subject"].startswith("Cửa hàng Hoa Mai")
    assert told["message"]["finished_at"] is not None


async def test_entering_again_thanks_nobody_again(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    await shop.enters(duc, duc)
    await shop.sends()
    await shop.enters(duc)
    await shop.sends()

    assert len(smtp.to(duc.email)) == 1
    assert len(await shop.messages()) == 1


async def test_the_same_event_in_one_batch_twice_plans_one_message(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    entered = SegmentEntered(membership=shop.membership(duc.customer_id))
    await shop.hears("segmentation", (duc.customer_id, entered), (duc.customer_id, entered))
    await shop.sends()

    assert len(smtp.to(duc.email)) == 1


async def test_a_customer_who_is_told_of_later_is_still_thanked(shop: World, smtp: SmtpSink):
    duc = shop.new_customer()
    await shop.enters(duc)
    await shop.sends()
    waiting = await shop.message_to(duc)
    assert (waiting["status"], waiting["reason"]) == ("planned", "RECIPIENT_UNKNOWN")

    await shop.knows(duc)
    await shop.sends()

    assert len(smtp.to(duc.email)) == 1
    assert (await shop.message_to(duc))["status"] == "sent"


async def test_a_customer_nobody_ever_tells_of_is_given_up_after_a_day(shop: World):
    stranger = new_id()
    await shop.enters(stranger)
    for _ in range(40):
        await shop.sends()
        shop.clock.advance(hours=1)

    (message,) = await shop.messages()
    assert (message["status"], message["reason"]) == ("failed", "RECIPIENT_UNKNOWN")
    (told,) = await shop.told("messaging.message_failed")
    assert told["message"]["reason"] == "RECIPIENT_UNKNOWN"


async def test_who_agreed_is_thanked_though_the_segment_was_told_of_first(
    shop: World, smtp: SmtpSink
):
    before = await shop.customer(consents=[])
    agreed = {"consents": (consent(shop.clock.now()),), "version": before.version + 2}
    await shop.enters(before.model_copy(update=agreed))
    await shop.sends()
    waiting = await shop.message_to(before)
    assert (waiting["status"], waiting["reason"]) == ("planned", "RECIPIENT_OUTDATED")
    between = await shop.changes(before, name="Đức")
    await shop.sends()
    assert (await shop.message_to(before))["status"] == "planned"

    await shop.changes(between, consents=agreed["consents"])
    await shop.sends()

    assert len(smtp.to(before.email)) == 1
    sent = await shop.message_to(before)
    assert (sent["status"], sent["reason"]) == ("sent", None)


@pytest.mark.parametrize(
    ("agreed", "outcome"), [(True, ("sent", None)), (False, ("suppressed", "NO_CONSENT"))]
)
async def test_a_state_that_never_comes_is_waited_for_a_day_and_the_known_one_decides(
    shop: World, agreed: bool, outcome: tuple[str, str | None]
):
    known = await shop.customer(**({} if agreed else {"consents": []}))
    await shop.enters(known.model_copy(update={"version": known.version + 1}))
    for _ in range(20):
        await shop.sends()
        shop.clock.advance(hours=1)
    assert (await shop.message_to(known))["status"] == "planned"
    for _ in range(20):
        await shop.sends()
        shop.clock.advance(hours=1)

    message = await shop.message_to(known)
    assert (message["status"], message["reason"]) == outcome


async def test_who_is_known_in_a_later_state_is_not_waited_for(shop: World, smtp: SmtpSink):
    duc = await shop.customer(version=3)
    await shop.enters(duc.model_copy(update={"version": 2}))
    await shop.sends()

    assert len(smtp.to(duc.email)) == 1


async def test_an_old_state_of_a_customer_changes_nothing(shop: World, smtp: SmtpSink):
    duc = await shop.customer(version=5)
    await shop.changes(duc.model_copy(update={"version": 2}), email="old@example.com")
    await shop.enters(duc)
    await shop.sends()

    assert len(smtp.to(duc.email)) == 1
    assert smtp.to("old@example.com") == []


async def test_a_customer_without_an_address_is_passed_over_with_the_reason(shop: World):
    duc = await shop.customer(email=None)
    await shop.enters(duc)
    await shop.sends()

    message = await shop.message_to(duc)
    assert (message["status"], message["reason"]) == ("suppressed", "NO_ADDRESS")
    (told,) = await shop.told("messaging.message_suppressed")
    assert told["message"]["reason"] == "NO_ADDRESS"


@pytest.mark.parametrize("address", ["nobody", "đức@example.com", "a@b..c"])
async def test_an_impossible_address_is_passed_over_with_the_reason(shop: World, address: str):
    duc = await shop.customer(email=address)
    await shop.enters(duc)
    await shop.sends()

    message = await shop.message_to(duc)
    assert (message["status"], message["reason"]) == ("suppressed", "INVALID_ADDRESS")


async def test_a_batch_of_new_customers_is_thanked_one_by_one(shop: World, smtp: SmtpSink):
    customers = [shop.new_customer(name=f"Khách {n}") for n in range(230)]
    await shop.knows(*customers)
    await shop.enters(*customers)
    await shop.sends()

    assert all(len(smtp.to(c.email)) == 1 for c in customers)
    assert {m["status"] for m in await shop.messages(status="sent")} == {"sent"}


async def test_two_shops_do_not_see_each_other(open_shop, smtp: SmtpSink):
    with SmtpSink() as other_sink:
        one, other = await open_shop(smtp), await open_shop(other_sink, name="Tiệm Sách Nhỏ")
        duc = await one.customer()
        await one.enters(duc)
        await other.sends()
        assert await other.messages() == []
        await one.sends()

        shared = other.new_customer(customer_id=duc.customer_id, email=duc.email)
        await other.knows(shared)
        await other.enters(shared)
        await other.sends()

        assert len(smtp.to(duc.email)) == 1
        (theirs,) = other_sink.to(duc.email)
        assert theirs["Subject"].startswith("Tiệm Sách Nhỏ")
        assert len(await one.messages()) == len(await other.messages()) == 1
