"""The segmentation service's background process."""

from dataclasses import replace

from services.segmentation.erasure import part_privacy
from services.segmentation.handlers import build_handlers
from services.segmentation.membership.sweeps import TimeSweeps
from services.segmentation.settings import SegmentationSettings
from services.segmentation.wiring import Wiring
from shared.clock import Clock
from shared.part.context import build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker, Periodic


def build_worker(settings: SegmentationSettings, *, clock: Clock | None = None) -> PartWorker:
    """The worker: the streams, the work over whole shops, the passing of time."""
    context = build_context(settings, clock)
    wiring = Wiring.of(context)
    sweeps = TimeSweeps(units=context.units, active=wiring.active)
    worker = build_part_worker(
        context,
        handlers=build_handlers(context, wiring),
        job_kinds=wiring.job_kinds(),
        privacy=part_privacy(settings.root_key),
        periodics=[Periodic("segmentation.time", settings.flip_seconds, sweeps.sweep)],
    )
    return replace(worker, close=[wiring.waker.drain, *worker.close])
