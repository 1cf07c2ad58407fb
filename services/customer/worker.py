"""The customer service's background process."""

from services.customer.handlers import build_handlers
from services.customer.settings import CustomerSettings
from shared.clock import Clock
from shared.part.context import build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker


def build_worker(settings: CustomerSettings, *, clock: Clock | None = None) -> PartWorker:
    """The worker of one process: takes in events, tells its own, runs the jobs."""
    context = build_context(settings, clock)
    return build_part_worker(context, handlers=build_handlers(context))
