"""E-mails as bytes: what goes in comes out, and nothing can be smuggled into a header."""

from datetime import UTC, datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.channels.records import EmailChannel
from services.messaging.delivery.mail import Letter, compose
from services.messaging.templates.records import Rendered
from shared.text import nfc, tidy

CHANNEL = EmailChannel(
    connection_id=UUID(int=1),
    version=1,
    host="127.0.0.1",
    port=25,
    security="none",
    sender_name="Cửa hàng Hoa Mai",
    sender_address="cskh@hoamai.example.com",
)
WORDS = Rendered(locale="vi", subject="Chào", text="Xin chào", html=None)


def letter(**changes) -> Letter:
    given = {
        "message_id": UUID(int=7),
        "to_address": "an@example.com",
        "to_name": "An",
        "words": WORDS,
        "at": datetime(2026, 2, 17, 8, tzinfo=UTC),
    }
    return Letter(**{**given, **changes})


def written(channel: EmailChannel = CHANNEL, **changes) -> EmailMessage:
    content = compose(letter(**changes), channel).content
    assert content.isascii()
    return message_from_bytes(content, policy=default)


lines = st.text(max_size=300).map(lambda t: tidy(t, max_length=300)).filter(bool)
bodies = st.text(max_size=2000).map(lambda t: nfc(t.replace("\r", "\n")))


@given(lines)
def test_any_subject_survives_the_journey_as_one_line(subject: str):
    mail = written(words=Rendered("vi", subject, "x", None))
    assert "".join(mail["Subject"].split()) == "".join(subject.split())


@given(lines)
def test_any_name_survives_without_adding_a_header_or_a_recipient(name: str):
    plain = written(to_name="An")
    mail = written(to_name=name)
    assert mail.keys() == plain.keys()
    assert [a.addr_spec for a in mail["To"].addresses] == ["an@example.com"]


@pytest.mark.parametrize(
    "evil",
    ["x\r\nBcc: v@example.com", "x\nBcc: v@example.com", "x\u2028Bcc: v@e.com", "\r\n\r\nBody"],
)
def test_no_header_can_be_smuggled_in_through_a_name(evil: str):
    channel = EmailChannel(
        **{**{n: getattr(CHANNEL, n) for n in CHANNEL.__slots__}, "sender_name": evil}
    )
    mail = written(channel, to_name=evil)
    assert mail["Bcc"] is None
    assert mail.get_content().strip() == "Xin chào"


@pytest.mark.parametrize("evil", ["a@b.c\r\nBcc: v@example.com", "a@b.c, v@example.com", "<a@b.c>"])
def test_an_address_that_is_more_than_one_is_refused(evil: str):
    with pytest.raises(ValueError, match="cannot be written"):
        compose(letter(to_address=evil), CHANNEL)
    with pytest.raises(ValueError, match="cannot be written"):
        compose(letter(reply_to=evil), CHANNEL)


@given(bodies, bodies)
def test_any_text_survives_the_journey(text: str, html: str):
    mail = written(words=Rendered("vi", "x", text, html))
    plain = mail.get_body(("plain",))
    rich = mail.get_body(("html",))
    assert lines_of(plain.get_content()) == lines_of(text)
    assert lines_of(rich.get_content()) == lines_of(html)


def lines_of(text: str) -> list[str]:
    """A mail's text has lines and a last line end; which characters end lines is not told."""
    return "\n".join(text.splitlines()).rstrip("\n").split("\n")


def test_an_internationalised_domain_becomes_ascii():
    mail = compose(letter(to_address="an@cửahàng.example"), CHANNEL)
    assert mail.recipient == "an@" + "cửahàng".encode("idna").decode() + ".example"


def test_answers_of_one_ticket_share_a_thread():
    ticket = UUID(int=99)
    first, second = written(thread_id=ticket), written(thread_id=ticket, message_id=UUID(int=8))
    assert first["Message-ID"] != second["Message-ID"]
    assert (
        first["References"] == second["References"] == f"<ticket.{ticket.hex}@hoamai.example.com>"
    )
    assert first["In-Reply-To"] == first["References"]


def test_only_promotional_letters_have_a_way_out_in_the_header():
    assert written()["List-Unsubscribe"] is None
    mail = written(unsubscribe_url="https://care.example.com/pages/unsubscribe/" + "a" * 64)
    assert mail["List-Unsubscribe"].startswith("<https://care.example.com/pages/unsubscribe/aaa")
    assert mail["List-Unsubscribe"].endswith(">")
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
