"""The mail that asks whether it was they who agreed to something in a form."""

from shared.contracts.leads import LeadConfirmationRequested
from shared.ids import new_id
from tests.messaging.world import World
from tests.support.smtp import SmtpSink, part

URL = "https://care.example.com/pages/forms/confirm/abc"


def asked(**said: object) -> LeadConfirmationRequested:
    known = {
        "submission_id": new_id(),
        "customer_id": new_id(),
        "email": "binh@example.com",
        "name": "Mua ngay tại spam.example",
        "locale": "vi",
        "url": URL,
    }
    return LeadConfirmationRequested(**{**known, **said})


async def test_it_is_sent_once_with_its_link_and_nothing_that_was_typed_in(
    shop: World, smtp: SmtpSink
):
    request = asked()
    for _ in range(2):
        await shop.hears("customer", (request.customer_id, request))
    await shop.sends()
    (mail,) = smtp.to(request.email)
    assert "Xác nhận" in mail["Subject"]
    assert URL in part(mail, "plain")
    assert f'href="{URL}"' in part(mail, "html")
    assert "spam.example" not in mail.as_string()
    assert mail["Auto-Submitted"] == "auto-generated"
    (message,) = await shop.messages()
    assert (message["origin"], message["message_class"], message["status"]) == (
        "lead_form",
        "transactional",
        "sent",
    )


async def test_it_calls_nobody_by_the_name_that_a_stranger_typed_in(shop: World, smtp: SmtpSink):
    typed = "Ban trung thuong 100 trieu goi 1900123456"
    victim = await shop.customer(name=typed, email="victim@example.com")
    request = asked(customer_id=victim.customer_id, email=victim.email, name=typed)
    await shop.hears("customer", (victim.customer_id, request))
    await shop.sends()
    (mail,) = smtp.to("victim@example.com")
    assert mail["To"] == "victim@example.com"
    words = (*mail.values(), part(mail, "plain"), part(mail, "html"))
    assert not [each for each in words if "trung thuong" in each or "1900123456" in each]


async def test_it_speaks_the_language_that_the_form_was_filled_in_in(shop: World, smtp: SmtpSink):
    request = asked(locale="en", email="anna@example.com")
    await shop.hears("customer", (request.customer_id, request))
    await shop.sends()
    (mail,) = smtp.to("anna@example.com")
    assert "Please confirm" in mail["Subject"]
