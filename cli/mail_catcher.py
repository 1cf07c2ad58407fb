"""A mailbox for development: an SMTP server on loopback that keeps every message in a Maildir.

`careloop up` runs it when no SMTP server is configured, so that messages go through a real SMTP
conversation and can be read (`.careloop/mail/new/`), and none leaves the machine.
"""

import mailbox
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from cli.ports import LOOPBACK, free_port


class MailCatcher:
    """An SMTP server on a free port of loopback."""

    def __init__(self, folder: Path) -> None:
        self._maildir = mailbox.Maildir(folder, create=True)
        self.folder = folder
        self.port = free_port()
        self._controller = Controller(self, hostname=LOOPBACK, port=self.port, ready_timeout=10)

    @property
    def environment(self) -> dict[str, str]:
        """The settings by which every shop without a channel of its own sends here."""
        return {
            "CARELOOP_SMTP_HOST": LOOPBACK,
            "CARELOOP_SMTP_PORT": str(self.port),
            "CARELOOP_SMTP_SECURITY": "none",
            "CARELOOP_SMTP_SENDER_ADDRESS": "care@careloop.example.com",
        }

    def start(self) -> None:
        """Listen, in a thread of its own."""
        self._controller.start()

    def stop(self) -> None:
        """Stop listening."""
        self._controller.stop()

    async def handle_DATA(  # noqa: N802  (the name is aiosmtpd's)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one message, with the addresses of its envelope."""
        message = message_from_bytes(envelope.original_content or b"", policy=policy.SMTP)
        message["X-Envelope-To"] = ", ".join(envelope.rcpt_tos)
        self._maildir.add(mailbox.MaildirMessage(message))
        return "250 kept"


def caught(folder: Path) -> list[EmailMessage]:
    """Every message in the mailbox, oldest first."""
    if not folder.exists():
        return []
    files = sorted((folder / "new").glob("*"), key=lambda file: file.stat().st_mtime_ns)
    return [message_from_bytes(file.read_bytes(), policy=policy.default) for file in files]
