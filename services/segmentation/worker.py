"""The segmentation service's background process."""

from dataclasses import replace

from services.segmentation.handlers import build_handlers
from services.segmentation.membership.sweeps import TimeSweeps
from services.segmentation.rebuilds.tasks import RunWork
from services.segmentation.settings import SegmentationSettings
from services.segmentation.wiring import GO_ON, Wiring
from shared.clock import Clock
from shared.part.context import build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker, Periodic

_RUNS_SECONDS = 2.0


def build_worker(settings: SegmentationSettings, *, clock: Clock | None = None) -> PartWorker:
    """The worker: the streams, the work over whole shops, the passing of time."""
    context = build_context(settings, clock)
    wiring = Wiring.of(context)
    work = RunWork(wiring)
    sweeps = TimeSweeps(units=context.units, active=wiring.active)
    worker = build_part_worker(
        context,
        handlers=build_handlers(context, wiring),
        jobs={GO_ON: work.go_on},
        periodics=[
            Periodic("segmentation.runs", _RUNS_SECONDS, work.sweep),
            Periodic("segmentation.time", settings.flip_seconds, sweeps.sweep),
        ],
    )
    return replace(worker, close=[wiring.waker.drain, *worker.close])
