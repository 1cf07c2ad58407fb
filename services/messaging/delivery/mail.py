"""From words to a MIME message. Header injection is impossible: every value is made one line."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final
from uuid import UUID

from services.messaging.channels.records import EmailChannel
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


def compose(letter: Letter, channel: EmailChannel) -> OutgoingMail:
    """The e-mail for `letter`, sent from `channel`.

    Raises ValueError when an address cannot be written into an e-mail.
    """
    sender, recipient = _mailbox(channel.sender_address), _mailbox(letter.to_address)
    domain = sender.rpartition("@")[2]
    mail = EmailMessage(policy=SMTP)
    mail["From"] = _address(channel.sender_name, sender)
    mail["To"] = _address(letter.to_name, recipient)
    mail["Subject"] = letter.words.subject
    mail["Date"] = format_datetime(letter.at)
    mail["Message-ID"] = f"<{letter.message_id.hex}@{domain}>"
    if letter.reply_to is not None:
        mail["Reply-To"] = _address(None, _mailbox(letter.reply_to))
    if letter.thread_id is not None:
        # Nobody sent this first message; naming it keeps a ticket's answers in one thread.
        mail["In-Reply-To"] = mail["References"] = f"<ticket.{letter.thread_id.hex}@{domain}>"
    if letter.automatic:
        mail["Auto-Submitted"] = "auto-generated"
    if letter.unsubscribe_url is not None:
        mail["List-Unsubscribe"] = f"<{letter.unsubscribe_url}>"
        mail["List-Unsubscribe-Post"] = _ONE_CLICK
    mail.set_content(letter.words.text, cte="quoted-printable")
    if letter.words.html is not None:
        mail.add_alternative(letter.words.html, subtype="html", cte="quoted-printable")
    # Last: the library gives headers about content to the part that is written next.
    mail["Content-Language"] = letter.words.locale
    return OutgoingMail(
        message_id=letter.message_id, sender=sender, recipient=recipient, content=mail.as_bytes()
    )


def _mailbox(address: str) -> str:
    found = mailbox(address)
    if found is None:
        raise ValueError("the address cannot be written into an e-mail")
    return found


def _address(name: str | None, address: str) -> Address:
    return Address(tidy(name, max_length=_MAX_NAME) or "", addr_spec=address)
