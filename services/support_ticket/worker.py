"""The support-ticket service's background process."""

from services.support_ticket.erasure import part_privacy
from services.support_ticket.handlers import build_handlers
from services.support_ticket.settings import SupportTicketSettings
from shared.clock import Clock
from shared.part.context import build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker


def build_worker(settings: SupportTicketSettings, *, clock: Clock | None = None) -> PartWorker:
    """The worker of one process: takes in events and tells its own."""
    context = build_context(settings, clock)
    return build_part_worker(
        context, handlers=build_handlers(context), privacy=part_privacy(settings.root_key)
    )
