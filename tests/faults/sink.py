"""An SMTP server that can be in a bad mood, and remembers what it has taken and what it hid.

Whether a message left is undecidable for its sender exactly when the answer to DATA was withheld;
the sink knows for which messages it did that, and what it had done with them.
"""

import asyncio
import re
import threading
from collections import Counter
from random import Random
from typing import Any, Final, Literal

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session

from cli.ports import LOOPBACK
from tests.faults.ports import lasting_port

Mood = Literal["healthy", "troubled"]
_MESSAGE_ID: Final = re.compile(rb"^Message-ID: <([0-9a-f]{32})@", re.MULTILINE | re.IGNORECASE)
# Longer than a sender waits for the answer to one step.
_TOO_LONG_SECONDS: Final = 12.0


class TroubledSink:
    """Accepts everything while healthy; troubled, it answers each message as the dice fall."""

    def __init__(self, seed: int) -> None:
        self.port = lasting_port()
        self.mood: Mood = "healthy"
        self.taken: Counter[str] = Counter()
        """How often each message was kept, whatever was answered."""
        self.undecidable: set[str] = set()
        """Messages of whose handing-over the answer was withheld at least once."""
        self.answers: Counter[str] = Counter()
        self._dice = Random(seed)
        self._busy = 0
        self._lock = threading.Lock()
        self._controller: Controller | None = None

    @property
    def environment(self) -> dict[str, str]:
        """The settings that make this the channel of every shop."""
        return {
            "CARELOOP_SMTP_HOST": LOOPBACK,
            "CARELOOP_SMTP_PORT": str(self.port),
            "CARELOOP_SMTP_SECURITY": "none",
            "CARELOOP_SMTP_SENDER_ADDRESS": "care@careloop.example.com",
        }

    @property
    def is_idle(self) -> bool:
        """Whether no message is in its hands."""
        return self._busy == 0

    def start(self) -> None:
        """Listen; on the same port as before when started again."""
        if self._controller is None:
            self._controller = Controller(self, hostname=LOOPBACK, port=self.port, ready_timeout=10)
            self._controller.start()

    def stop(self) -> None:
        """Stop listening and drop every connection, whatever is being said on it."""
        controller, self._controller = self._controller, None
        if controller is not None:
            controller.stop()

    async def handle_RCPT(  # noqa: N802  (aiosmtpd's names)
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[Any]
    ) -> str:
        trouble = self._roll(
            (0.80, "take"), (0.08, "451"), (0.03, "550"), (0.05, "421"), (0.04, "hang up")
        )
        match trouble:
            case "451":
                return "451 4.3.0 try again later"
            case "550":
                return "550 5.7.1 not from you"
            case "421":
                return "421 4.3.2 shutting down"
            case "hang up":
                server.transport.abort()
                return "421 4.3.2 gone"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        found = _MESSAGE_ID.search(bytes(envelope.original_content or b""))
        name = found.group(1).decode() if found else "?"
        self._busy += 1
        try:
            return await self._answer(server, name)
        except asyncio.CancelledError:
            # Stopped half-way: what the sender hears is a broken connection.
            self.undecidable.add(name)
            raise
        finally:
            self._busy -= 1

    async def _answer(self, server: SMTP, name: str) -> str:
        trouble = self._roll(
            (0.45, "take"),
            (0.20, "stall"),
            (0.02, "stall too long"),
            (0.08, "450"),
            (0.05, "554"),
            (0.10, "hang up"),
            (0.10, "take and hang up"),
        )
        match trouble:
            case "450":
                return "450 4.2.1 mailbox busy"
            case "554":
                return "554 5.6.0 I do not like it"
            case "hang up":
                return self._hang_up(server, name)
            case "take and hang up":
                self._keep(name)
                return self._hang_up(server, name)
            case "stall":
                await asyncio.sleep(self._dice.uniform(0.2, 3))
            case "stall too long":
                self.undecidable.add(name)
                await asyncio.sleep(_TOO_LONG_SECONDS)
        self._keep(name)
        if server.transport is None or server.transport.is_closing():
            self.undecidable.add(name)
        return "250 2.0.0 kept"

    def _hang_up(self, server: SMTP, name: str) -> str:
        self.undecidable.add(name)
        server.transport.abort()
        return "421 4.3.2 gone"

    def _keep(self, name: str) -> None:
        with self._lock:
            self.taken[name] += 1

    def _roll(self, *sides: tuple[float, str]) -> str:
        if self.mood == "healthy":
            return "take"
        [(side,)] = [self._dice.choices([s for _, s in sides], [weight for weight, _ in sides])]
        self.answers[side] += 1
        return side
