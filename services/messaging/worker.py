"""The messaging service's worker: its streams, and the sender."""

from dataclasses import replace

from services.messaging.delivery.service import Delivery
from services.messaging.delivery.smtp import SmtpConnections
from services.messaging.delivery.tasks import SEND, send_job, send_sweep
from services.messaging.handlers import build_handlers
from services.messaging.preferences.links import UnsubscribeLinks
from services.messaging.settings import MessagingSettings
from shared.clock import Clock
from shared.part.context import PartContext, build_context
from shared.part.worker import build_part_worker
from shared.queue.producer import Waker
from shared.queue.worker import PartWorker
from shared.security.keys import SecretBox


def build_worker(settings: MessagingSettings, *, clock: Clock | None = None) -> PartWorker:
    """Applies other parts' events, and sends what is due."""
    context = build_context(settings, clock)
    connections = SmtpConnections()
    delivery = build_delivery(context, connections)
    waker = Waker(context.queue, part=settings.part, function=SEND)
    worker = build_part_worker(
        context,
        handlers=build_handlers(context, waker=waker),
        jobs={SEND: send_job(delivery, waker)},
        periodics=[send_sweep(context.units, delivery, connections)],
    )
    return replace(worker, close=[waker.drain, connections.close, *worker.close])


def build_delivery(
    context: PartContext[MessagingSettings], connections: SmtpConnections
) -> Delivery:
    """The sender of one process."""
    settings = context.settings
    return Delivery(
        units=context.units,
        connections=connections,
        links=UnsubscribeLinks(root_key=settings.root_key, public_url=settings.public_url),
        secrets=SecretBox(settings.root_key),
        fallback_channel=settings.fallback_channel,
    )
