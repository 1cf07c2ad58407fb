"""From words to an e-mail. Header injection is impossible: every value is made one line."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from services.messaging.channels.records import EmailChannel
from services.messaging.delivery import mime
from services.messaging.recipients.addresses import mailbox
from services.messaging.templates.records import Rendered
from shared.text import tidy

_ONE_CLICK: Final = "List-Unsubscribe=One-Click"
_MAX_NAME: Final = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class OutgoingMail:
    """One e-mail, as SMTP takes it: envelope and bytes."""

    message_id: UUID
    sender: str
    recipient: str
    content: bytes
    trace: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """What is to be written, to whom, and what it answers."""

    message_id: UUID
    to_address: str
    to_name: str | None
    words: Rendered
    at: datetime
    unsubscribe_url: str | None = None
    automatic: bool = False
    reply_to: str | None = None
    thread_id: UUID | None = None
    trace: str | None = None


def compose(letter: Letter, channel: EmailChannel) -> OutgoingMail:
    """The e-mail for `letter`, sent from `channel`.

    Raises ValueError when an address cannot be written into an e-mail.
    """
    sender, recipient = _address(channel.sender_address), _address(letter.to_address)
    parts = [("text/plain", letter.words.text)]
    if letter.words.html is not None:
        parts.append(("text/html", letter.words.html))
    headers = [
        ("From", mime.mailbox(_name(channel.sender_name), sender)),
        ("To", mime.mailbox(_name(letter.to_name), recipient)),
        ("Subject", mime.unstructured(letter.words.subject)),
        ("Date", format_datetime(letter.at)),
        *_identity(letter, domain=sender.rpartition("@")[2]),
        *_manners(letter),
        ("Content-Language", letter.words.locale),
    ]
    content = mime.document(headers, parts, boundary=f"=_{letter.message_id.hex}")
    return OutgoingMail(
        message_id=letter.message_id,
        sender=sender,
        recipient=recipient,
        content=content,
        trace=letter.trace,
    )


def _identity(letter: Letter, *, domain: str) -> Iterator[mime.Header]:
    yield "Message-ID", f"<{letter.message_id.hex}@{domain}>"
    if letter.thread_id is not None:
        # Nobody sent this first message; naming it keeps a ticket's answers in one thread.
        first = f"<ticket.{letter.thread_id.hex}@{domain}>"
        yield "In-Reply-To", first
        yield "References", first


def _manners(letter: Letter) -> Iterator[mime.Header]:
    if letter.reply_to is not None:
        yield "Reply-To", _address(letter.reply_to)
    if letter.automatic:
        yield "Auto-Submitted", "auto-generated"
    if letter.unsubscribe_url is not None:
        yield "List-Unsubscribe", f"<{letter.unsubscribe_url}>"
        yield "List-Unsubscribe-Post", _ONE_CLICK


def _address(address: str) -> str:
    found = mailbox(address)
    if found is None:
        raise ValueError("the address cannot be written into an e-mail")
    return found


def _name(name: str | None) -> str | None:
    return tidy(name, max_length=_MAX_NAME)
