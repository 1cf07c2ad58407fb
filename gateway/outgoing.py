"""What the gateway's processes hold to tell the outside: the feed's streams and the webhooks."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated, Final, Self

from fastapi import Depends, FastAPI, Request

from gateway.events.announcing import Announce, announce_by
from gateway.events.following import Followers
from gateway.events.rendering import EventMask
from gateway.events.retention import SWEEP_SECONDS as FORGET_SECONDS
from gateway.events.retention import Retention
from gateway.events.streaming import FeedStreams
from gateway.settings import GatewaySettings
from gateway.webhooks.attempting import Attempts
from gateway.webhooks.letters import Letters
from gateway.webhooks.log_retention import LogRetention
from gateway.webhooks.sender import RENEW_SECONDS, Sender
from shared.outbound.guard import OutboundGuard
from shared.outbound.web import GuardedHttp
from shared.part.context import PartContext
from shared.privacy.field_marks import told_marks
from shared.queue.producer import Waker
from shared.queue.signals import Signals
from shared.queue.worker import Job, Periodic
from shared.security.keys import SecretBox
from shared.stream.relay import parse_tenant

SEND: Final = "webhooks.send"
_SWEEP_SECONDS: Final = 1.0


def sender_waker(context: PartContext[GatewaySettings]) -> Waker:
    """Gets the worker that sends webhooks going."""
    return Waker(context.queue, part=context.settings.part, function=SEND)


@dataclass(frozen=True, slots=True)
class Outgoing:
    """For the API: who listens to feeds, and what endpoints may be reached."""

    followers: Followers
    streams: FeedStreams
    mask: EventMask
    guard: OutboundGuard
    waker: Waker

    @classmethod
    def of(cls, context: PartContext[GatewaySettings]) -> Self:
        """Everything, wired; nothing connects yet."""
        settings = context.settings
        followers = Followers(units=context.units, signals=Signals(settings.redis_url))
        return cls(
            followers=followers,
            streams=FeedStreams(
                units=context.units,
                followers=followers,
                reads=context.reads,
                clock=context.clock,
                marks=told_marks(settings.part),
            ),
            mask=EventMask(),
            guard=settings.outbound_guard,
            waker=sender_waker(context),
        )

    async def close(self) -> None:
        """Send off listeners, and what is still to be said."""
        await self.waker.drain()
        await self.followers.close()


@dataclass(frozen=True, slots=True)
class OutgoingWork:
    """For the worker: sending, and forgetting what is old."""

    signals: Signals
    http: GuardedHttp
    sender: Sender
    retention: Retention
    log_retention: LogRetention

    @classmethod
    def of(cls, context: PartContext[GatewaySettings]) -> Self:
        """Everything, wired; nothing connects yet."""
        settings, units = context.settings, context.units
        keep = timedelta(days=settings.event_retention_days)
        http = GuardedHttp(settings.outbound_guard)
        return cls(
            signals=Signals(settings.redis_url),
            http=http,
            sender=Sender(
                units=units,
                attempts=Attempts(http=http, clock=context.clock),
                letters=Letters(SecretBox(settings.root_key)),
                most_queues=settings.webhook_queues_at_once,
            ),
            retention=Retention(units=units, keep=keep),
            log_retention=LogRetention(units=units, keep=keep),
        )

    @property
    def announce(self) -> Announce:
        """Tells those who follow feeds."""
        return announce_by(self.signals)

    @property
    def jobs(self) -> dict[str, Job]:
        """What the queue may ask for."""

        async def send(tenant: str) -> None:
            await self.sender.wake(parse_tenant(tenant))

        return {SEND: send}

    @property
    def periodics(self) -> list[Periodic]:
        """What is done again and again."""
        return [
            Periodic("webhooks.sweep", _SWEEP_SECONDS, self.sender.sweep),
            Periodic("webhooks.renew", RENEW_SECONDS, self.sender.renew),
            Periodic("events.forget", FORGET_SECONDS, self.retention.sweep),
            Periodic("webhooks.forget", FORGET_SECONDS, self.log_retention.sweep),
        ]

    async def close(self) -> None:
        """Finish what is under way and close connections."""
        await self.sender.close()
        await self.http.close()
        await self.signals.close()


def attach_outgoing(app: FastAPI, outgoing: Outgoing) -> None:
    """Give the application what its endpoints need of this."""
    app.state.outgoing = outgoing


async def outgoing_of(request: Request) -> Outgoing:
    """What the application that answers holds."""
    outgoing: Outgoing = request.app.state.outgoing
    return outgoing


OutgoingDep = Annotated[Outgoing, Depends(outgoing_of)]
