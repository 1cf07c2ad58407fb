"""A consumer wants to hear everything again."""

from collections.abc import Sequence

from services.customer.snapshots.repository import SnapshotRepository
from services.customer.snapshots.tasks import WALK
from shared.contracts.segmentation import SnapshotRequested
from shared.db.unit_of_work import UnitOfWork
from shared.queue.producer import Queue, Waker
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply


def begin_snapshots(queue: Queue) -> Apply:
    """The reaction to requests: a row each; the worker does the walking."""
    waker = Waker(queue, part="customer", function=WALK)

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            request = envelope.read(SnapshotRequested)
            await SnapshotRepository(uow).add(request.job_id, requested_by=envelope.source)

        async def wake() -> None:
            await waker.wake(uow.tenant_id)

        uow.after_commit(wake)

    return apply
