"""Support's words on their way to people: an agent's answer, the survey's invitation."""

import httpx

from shared.contracts.support_ticket import Recipient
from tests.messaging.world import World, recipient
from tests.support.smtp import SmtpSink, part


async def test_an_agents_answer_reaches_the_customer_under_the_tickets_code(
    shop: World, smtp: SmtpSink
):
    duc = await shop.customer(consents=[])  # an answer needs no consent
    ticket = shop.ticket(duc)
    body = "Chào anh,\nchúng tôi sẽ gửi bù <1 hộp>.\n\nMong anh thông cảm."
    reply = await shop.replies(ticket, recipient(duc), body)
    await shop.sends()

    (mail,) = smtp.to(duc.email)
    assert mail["Subject"] == "[T-000045] Giao thiếu hàng"
    assert body in part(mail, "plain").replace("\r\n", "\n")
    assert "gửi bù &lt;1 hộp&gt;.<br />" in part(mail, "html")
    assert "Lan" in part(mail, "plain")
    assert mail["References"] == f"<ticket.{ticket.ticket_id.hex}@hoamai.example.com>"
    assert mail["List-Unsubscribe"] is None
    assert mail["Auto-Submitted"] is None

    message = await shop.message_to(duc)
    assert (message["origin"], message["origin_id"]) == ("ticket_reply", str(reply.message_id))
    assert message["message_class"] == "transactional"


async def test_an_answer_told_twice_is_sent_once(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    ticket = shop.ticket(duc)
    reply = await shop.replies(ticket, recipient(duc), "Một lần thôi")
    await shop.hears("support_ticket", (ticket.ticket_id, reply), (ticket.ticket_id, reply))
    await shop.sends()

    assert len(smtp.to(duc.email)) == 1


async def test_somebody_who_is_no_customer_is_answered_too(shop: World, smtp: SmtpSink):
    guest = Recipient(name="Khách lạ", email="guest@example.com", locale="en")
    await shop.replies(shop.ticket(None), guest, "We are looking into it.")
    await shop.sends()

    (mail,) = smtp.to("guest@example.com")
    assert "Hello Khách lạ" in part(mail, "plain")


async def test_an_answer_needs_only_the_customer_when_the_ticket_has_no_address(
    shop: World, smtp: SmtpSink
):
    duc = await shop.customer()
    await shop.replies(shop.ticket(duc), Recipient(customer_id=duc.customer_id), "Xin chào")
    await shop.sends()
    assert len(smtp.to(duc.email)) == 1


async def test_an_answer_to_nobody_reachable_says_so(shop: World):
    await shop.replies(shop.ticket(None), Recipient(phone="+84912345678"), "Xin chào")
    await shop.sends()
    (message,) = await shop.messages()
    assert (message["status"], message["reason"]) == ("suppressed", "NO_ADDRESS")


async def test_the_survey_is_sent_with_its_link(shop: World, smtp: SmtpSink):
    duc = await shop.customer()
    url = "https://care.example.com/pages/survey/abc?x=1&y=2"
    survey = await shop.invites(shop.ticket(duc), recipient(duc), url)
    await shop.sends()

    (mail,) = smtp.to(duc.email)
    assert "T-000045" in mail["Subject"]
    assert url in part(mail, "plain")
    assert 'href="https://care.example.com/pages/survey/abc?x=1&amp;y=2"' in part(mail, "html")
    message = await shop.message_to(duc)
    assert (message["origin"], message["origin_id"]) == ("survey", str(survey.survey_id))


async def test_answers_overtake_what_nobody_waits_for(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    customers = [shop.new_customer() for _ in range(150)]
    await shop.knows(*customers)
    await shop.enters(*customers)
    await shop.replies(shop.ticket(customers[0]), recipient(customers[0]), "Trả lời ngay")
    before = len(smtp.messages)
    await shop.sends()

    first_batch = [mail["Subject"] for mail in smtp.messages[before : before + 4]]
    assert "[T-000045] Giao thiếu hàng" in first_batch
