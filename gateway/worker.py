"""The gateway's background process: it reads deliveries and carries the gateway's events."""

from typing import Final

from gateway.deliveries.tasks import READ_DELIVERIES, DeliveryReader
from gateway.handlers import build_handlers
from gateway.settings import GatewaySettings
from shared.clock import Clock
from shared.part.context import build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker, Periodic
from shared.stream.relay import parse_tenant

SWEEP_SECONDS: Final = 1.0


def build_worker(settings: GatewaySettings, *, clock: Clock | None = None) -> PartWorker:
    """The worker of one process."""
    context = build_context(settings, clock)
    reader = DeliveryReader(context.units)

    async def read_deliveries(tenant: str) -> None:
        await reader.read(parse_tenant(tenant))

    return build_part_worker(
        context,
        handlers=build_handlers(),
        jobs={READ_DELIVERIES: read_deliveries},
        periodics=[Periodic("deliveries.sweep", SWEEP_SECONDS, reader.sweep)],
    )
