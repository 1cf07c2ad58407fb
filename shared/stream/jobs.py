"""The stream's part in a worker: its arq jobs and its sweep."""

from shared.queue.worker import Job, Periodic
from shared.stream.consumer import Consumer
from shared.stream.envelope import Batch
from shared.stream.relay import ACKNOWLEDGE, DELIVER, RELAY, Relay, parse_tenant

SWEEP_SECONDS = 1.0


def stream_jobs(relay: Relay, consumer: Consumer) -> dict[str, Job]:
    """The jobs by which streams reach a part's worker."""

    async def deliver(batch: str) -> None:
        await consumer.receive(Batch.load(batch))

    async def pump(tenant: str) -> None:
        await relay.pump(parse_tenant(tenant))

    async def acknowledge(tenant: str, consumer_part: str, split: str, position: str) -> None:
        await relay.acknowledge(parse_tenant(tenant), consumer_part, int(split), int(position))

    return {DELIVER: deliver, RELAY: pump, ACKNOWLEDGE: acknowledge}


def stream_sweep(relay: Relay) -> Periodic:
    """The net under lost wake-ups."""
    return Periodic("stream.sweep", SWEEP_SECONDS, relay.sweep)
