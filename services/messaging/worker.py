"""The messaging service's worker: its streams, and the sender."""

from dataclasses import replace

from services.messaging.delivery.service import Delivery
from services.messaging.delivery.smtp import SmtpConnections
from services.messaging.delivery.tasks import SEND, send_job, send_sweep
from services.messaging.erasure import part_privacy
from services.messaging.handlers import build_handlers
from services.messaging.preferences.digests import AddressDigests
from services.messaging.settings import MessagingSettings
from services.messaging.wiring import Wiring
from shared.clock import Clock
from shared.part.context import PartContext, build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker


def build_worker(settings: MessagingSettings, *, clock: Clock | None = None) -> PartWorker:
    """Applies other parts' events, and sends what is due."""
    context = build_context(settings, clock)
    wiring, connections = Wiring.of(context), SmtpConnections(settings.outbound_guard)
    delivery = build_delivery(context, connections, wiring)
    worker = build_part_worker(
        context,
        handlers=build_handlers(context, wiring=wiring),
        jobs={SEND: send_job(delivery, wiring.waker)},
        periodics=[send_sweep(context.units, delivery, connections)],
        privacy=part_privacy(settings.root_key),
    )
    return replace(
        worker,
        hurry=[connections.hurry, *worker.hurry],
        close=[wiring.waker.drain, connections.close, *worker.close],
    )


def build_delivery(
    context: PartContext[MessagingSettings], connections: SmtpConnections, wiring: Wiring
) -> Delivery:
    """The sender of one process."""
    return Delivery(
        units=context.units,
        connections=connections,
        links=wiring.links,
        secrets=wiring.secrets,
        digests=AddressDigests(context.settings.root_key),
        installation_channel=context.settings.installation_channel,
    )
