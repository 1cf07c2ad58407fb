"""Conversations with SMTP servers over connections that are kept for the next message.

Sent step by step rather than with `sendmail`, because only the step that failed tells whether the
message can have left: before DATA it cannot, after DATA nobody knows until the server answers.
"""

import asyncio
import contextlib
import socket
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

import structlog
from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
    SMTPSenderRefused,
)
from opentelemetry.trace import SpanKind

from services.messaging.channels.records import INSTALLATION_CHANNEL, EmailChannel
from services.messaging.delivery.mail import OutgoingMail
from services.messaging.delivery.outcomes import (
    RELEASED,
    Outcome,
    Stage,
    accepted,
    login_refused,
    not_allowed,
    refused,
    unclear,
    unreachable,
)
from shared.observability.tracing import TRACE_PARENT, spanning
from shared.outbound.guard import MAIL_PORTS, OutboundGuard, OutboundRefused

CONNECTIONS_PER_CHANNEL: Final = 4
STEP_SECONDS: Final = 10
BEFORE_DATA_SECONDS: Final = 20
_IDLE_SECONDS: Final = 20
_MAX_IDLE_PER_CHANNEL: Final = CONNECTIONS_PER_CHANNEL
_LOST = (SMTPException, OSError, TimeoutError)
_log = structlog.get_logger(__name__)


class _CutShort(asyncio.CancelledError):
    """Cancelled when the provider may have the message already."""


@dataclass(slots=True)
class Batch:
    """Mails of one channel, and what has become of them so far."""

    channel: EmailChannel
    waiting: deque[OutgoingMail]
    outcomes: dict[UUID, Outcome] = field(default_factory=dict)
    stopped: Outcome | None = None

    def take(self, deadline: float) -> OutgoingMail | None:
        """The next mail to try; None when there is none, or no sense or time to go on."""
        if self.stopped is not None or time.monotonic() > deadline or not self.waiting:
            return None
        return self.waiting.popleft()

    def release_rest(self) -> None:
        """Give an outcome to those that were not tried: the batch's own, or none at all."""
        while self.waiting:
            self.outcomes[self.waiting.popleft().message_id] = self.stopped or RELEASED


class SmtpConnections:
    """The SMTP connections of one process; `guard` judges the hosts that shops have named."""

    def __init__(self, guard: OutboundGuard) -> None:
        self._guard = guard
        self._idle: defaultdict[EmailChannel, list[tuple[SMTP, float]]] = defaultdict(list)
        self.in_a_hurry = False

    def hurry(self) -> None:
        """The process is about to end: finish the conversations, begin no more."""
        self.in_a_hurry = True

    async def send(self, batch: Batch, *, seconds: float) -> None:
        """Send what time allows; each mail gets its outcome in `batch.outcomes`.

        When the provider cannot be reached or logged in to, the rest is not tried; nor is it when
        this is cancelled.
        """
        deadline = time.monotonic() + seconds
        lines = min(CONNECTIONS_PER_CHANNEL, len(batch.waiting))
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(lines):
                    group.create_task(self._work(batch, deadline))
        finally:
            batch.release_rest()

    async def close(self) -> None:
        """Say goodbye to every server."""
        idle, self._idle = self._idle, defaultdict(list)
        for connections in idle.values():
            for connection, _ in connections:
                await _quit(connection)

    async def _work(self, batch: Batch, deadline: float) -> None:
        while not self._is_to_end() and (mail := batch.take(deadline)) is not None:
            # Cancelled before the provider has seen any of it.
            batch.outcomes[mail.message_id] = RELEASED
            try:
                outcome = await self._send_traced(batch.channel, mail)
            except _CutShort as error:
                batch.outcomes[mail.message_id] = unclear(error)
                raise
            except Exception as error:  # noqa: BLE001  (one mail must not take others with it)
                _log.exception("smtp_conversation_crashed", message=mail.message_id.hex)
                outcome = unclear(error)
            batch.outcomes[mail.message_id] = outcome
            if outcome.kind == "postponed":
                batch.stopped = outcome

    def _is_to_end(self) -> bool:
        # A cancellation that came together with an answer is not raised: asyncio.wait_for, which
        # the library uses, forgets it before Python 3.12.
        task = asyncio.current_task()
        return self.in_a_hurry or (task is not None and task.cancelling() > 0)

    async def _send_traced(self, channel: EmailChannel, mail: OutgoingMail) -> Outcome:
        if mail.trace is None:
            return await self._send_one(channel, mail)
        parent = {TRACE_PARENT: mail.trace}
        with spanning("messaging", "send e-mail", kind=SpanKind.CLIENT, parent=parent) as span:
            span.set_attributes({"network.protocol.name": "smtp", "server.port": channel.port})
            outcome = await self._send_one(channel, mail)
            span.set_attribute("careloop.outcome", outcome.kind)
            return outcome

    async def _send_one(self, channel: EmailChannel, mail: OutgoingMail) -> Outcome:
        connection = self._take_idle(channel)
        if connection is not None:
            outcome = await self._converse(connection, channel, mail)
            # The server may have closed a connection that was idle: that says nothing of it now.
            if outcome.kind != "postponed":
                return outcome
        try:
            async with asyncio.timeout(BEFORE_DATA_SECONDS):
                connection = await self._connect(channel)
        except SMTPAuthenticationError as error:
            return login_refused(error.code, error.message)
        except OutboundRefused as error:
            return not_allowed(error)
        except _LOST as error:
            return unreachable(error)
        return await self._converse(connection, channel, mail)

    async def _converse(
        self, connection: SMTP, channel: EmailChannel, mail: OutgoingMail
    ) -> Outcome:
        stage: Stage = "sender"
        try:
            async with asyncio.timeout(BEFORE_DATA_SECONDS):
                await connection.mail(mail.sender)
                stage = "recipient"
                await connection.rcpt(mail.recipient)
            stage = "content"
            response = await connection.data(mail.content)
        except (SMTPSenderRefused, SMTPRecipientRefused, SMTPResponseException) as error:
            await self._start_over(connection, channel)
            return refused(stage, error.code, error.message)
        except _LOST as error:
            connection.close()
            return unclear(error) if stage == "content" else unreachable(error)
        except asyncio.CancelledError as error:
            connection.close()
            if stage == "content":
                raise _CutShort from error
            raise
        self._keep(connection, channel)
        return accepted(f"{response.code} {response.message}")

    async def _start_over(self, connection: SMTP, channel: EmailChannel) -> None:
        try:
            await connection.rset()
        except _LOST:
            connection.close()
        else:
            self._keep(connection, channel)

    def _take_idle(self, channel: EmailChannel) -> SMTP | None:
        idle = self._idle[channel]
        while idle:
            connection, since = idle.pop()
            if connection.is_connected and time.monotonic() - since < _IDLE_SECONDS:
                return connection
            connection.close()
        return None

    def _keep(self, connection: SMTP, channel: EmailChannel) -> None:
        idle = self._idle[channel]
        if connection.is_connected and len(idle) < _MAX_IDLE_PER_CHANNEL:
            idle.append((connection, time.monotonic()))
        else:
            connection.close()

    async def close_idle(self) -> None:
        """Close connections that have not been used for a while."""
        now = time.monotonic()
        for channel, idle in list(self._idle.items()):
            kept = [(c, since) for c, since in idle if now - since < _IDLE_SECONDS]
            gone = [c for c, since in idle if now - since >= _IDLE_SECONDS]
            self._idle[channel] = kept
            if not kept:
                del self._idle[channel]
            for connection in gone:
                await _quit(connection)

    async def _connect(self, channel: EmailChannel) -> SMTP:
        if channel.connection_id == INSTALLATION_CHANNEL:
            # The operator's own server may well be in the private network.
            return await _log_in(channel, port=channel.port)
        connection = await self._guard.connect(channel.host, channel.port, ports=MAIL_PORTS)
        return await _log_in(channel, connection=connection)


async def _log_in(
    channel: EmailChannel, *, port: int | None = None, connection: socket.socket | None = None
) -> SMTP:
    """A session over a connection, or with a port over a new one."""
    session = SMTP(
        hostname=channel.host,
        port=port,
        sock=connection,
        use_tls=channel.security == "tls",
        start_tls=channel.security == "starttls",
        username=channel.username,
        password=channel.password,
        local_hostname=channel.sender_domain,
        timeout=STEP_SECONDS,
    )
    await session.connect()
    return session


async def _quit(connection: SMTP) -> None:
    with contextlib.suppress(*_LOST):
        await connection.quit(timeout=1)
    connection.close()


def batch_of(channel: EmailChannel, mails: Sequence[OutgoingMail]) -> Batch:
    """A batch in which nothing has been tried yet."""
    return Batch(channel, deque(mails))
