"""A real SMTP server on loopback that keeps what it is given, for whoever sends e-mail.

    with SmtpSink() as sink:
        ...                                    # send to sink.host, sink.port
        (mail,) = await sink.received(1)       # email.message.EmailMessage, parsed

It can also refuse, break off, ask for a login, and come back on the same port.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from typing import Any, Self

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from shared.contracts.gateway import EmailChannelState
from shared.ids import new_id

HOST = "127.0.0.1"


@dataclass
class Behaviour:
    """How the server answers: by recipient address, lower case; what is not named is accepted."""

    refuse_recipient: dict[str, str] = field(default_factory=dict)
    refuse_content: dict[str, str] = field(default_factory=dict)
    hang_up_on: set[str] = field(default_factory=set)
    before_accepting: Callable[[], None] | None = None


class _Controller(Controller):
    """A controller that lets the operating system choose the port."""

    def _trigger_server(self) -> None:
        self.port = self.server.sockets[0].getsockname()[1]
        super()._trigger_server()


class _Handler:
    def __init__(self, sink: "SmtpSink") -> None:
        self._sink = sink

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's names)
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = self._sink.behaviour.refuse_recipient.get(address.lower())
        if refusal is not None:
            return refusal
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope
    ) -> str:
        behaviour = self._sink.behaviour
        recipients = {address.lower() for address in envelope.rcpt_tos}
        for address in recipients:
            if address in behaviour.refuse_content:
                return behaviour.refuse_content[address]
        if behaviour.before_accepting is not None:
            await asyncio.get_running_loop().run_in_executor(None, behaviour.before_accepting)
        self._sink.keep(session, envelope)
        if recipients & behaviour.hang_up_on:
            server.transport.abort()
        return "250 2.0.0 kept"


class SmtpSink:
    """An SMTP server in a thread of its own; `messages` is everything it has accepted."""

    host = HOST

    def __init__(self, *, port: int = 0, login: tuple[str, str] | None = None) -> None:
        self.port = port
        self.behaviour = Behaviour()
        self.messages: list[EmailMessage] = []
        self.envelopes: list[Envelope] = []
        self.sessions: set[int] = set()
        self._login = login
        self._lock = threading.Lock()
        self._controller: _Controller | None = None

    def start(self) -> Self:
        """Listen; on the same port as before when started again."""
        options: dict[str, Any] = {"authenticator": self._check} if self._login else {}
        self._controller = _Controller(
            _Handler(self),
            hostname=HOST,
            port=self.port,
            auth_require_tls=False,
            **options,
        )
        self._controller.start()
        self.port = self._controller.port
        return self

    def stop(self) -> None:
        """Stop listening and drop every connection."""
        if self._controller is not None:
            self._controller.stop()
            self._controller = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def keep(self, session: Session, envelope: Envelope) -> None:
        """Keep a message that was accepted."""
        parsed = message_from_bytes(envelope.original_content, policy=default)
        with self._lock:
            self.messages.append(parsed)
            self.envelopes.append(envelope)
            self.sessions.add(id(session))

    def forget(self) -> None:
        """Forget what was accepted so far."""
        with self._lock:
            self.messages.clear()
            self.envelopes.clear()
            self.sessions.clear()

    def to(self, address: str) -> list[EmailMessage]:
        """The messages accepted for one recipient, oldest first."""
        wanted = address.lower()
        with self._lock:
            pairs = list(zip(self.messages, self.envelopes, strict=True))
        return [m for m, e in pairs if wanted in {to.lower() for to in e.rcpt_tos}]

    async def received(
        self, count: int = 1, *, to: str | None = None, seconds: float = 30
    ) -> list[EmailMessage]:
        """The messages (to one address), once there are `count`. Raises TimeoutError."""
        deadline = time.monotonic() + seconds
        while True:
            found = list(self.messages) if to is None else self.to(to)
            if len(found) >= count:
                return found
            if time.monotonic() > deadline:
                raise TimeoutError(f"{len(found)} of {count} messages after {seconds} s")
            await asyncio.sleep(0.01)

    def channel(self, **changes: Any) -> EmailChannelState:
        """An e-mail channel that sends through this server."""
        values = {
            "connection_id": new_id(),
            "host": self.host,
            "port": self.port,
            "sender_name": "Cửa hàng Hoa Mai",
            "sender_address": "cskh@hoamai.example.com",
        }
        return EmailChannelState(**{**values, **changes})

    def _check(
        self, server: SMTP, session: Session, envelope: Envelope, mechanism: str, data: Any
    ) -> AuthResult:
        assert isinstance(data, LoginPassword)
        given = (data.login.decode(), data.password.decode())
        return AuthResult(success=given == self._login, handled=False)


def part(mail: EmailMessage, subtype: str) -> str:
    """The text of the `text/plain` or `text/html` part of a message."""
    body = mail.get_body(preferencelist=(subtype,))
    assert body is not None, f"the message has no {subtype} part"
    return body.get_content()
