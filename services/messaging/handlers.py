"""What this service does about other parts' events."""

from collections.abc import Awaitable, Callable, Sequence

from services.messaging.automations.handlers import on_segment_entered, on_segment_left
from services.messaging.channels.handlers import project_channels
from services.messaging.conversation.handlers import on_survey_invited, on_ticket_replied
from services.messaging.erasure import part_privacy
from services.messaging.leads.handlers import on_lead_confirmation_requested
from services.messaging.messages.ledger import Ledger
from services.messaging.provisioning.handlers import provision_shops
from services.messaging.recipients.handlers import project_customers, project_orders
from services.messaging.settings import MessagingSettings
from services.messaging.staff_mail.handlers import on_staff_mail_requested
from services.messaging.wiring import Wiring
from shared.contracts.gateway import (
    EmailChannelChanged,
    StaffMailRequested,
    TenantProvisioned,
)
from shared.contracts.leads import LeadConfirmationRequested
from shared.contracts.segmentation import SegmentEntered, SegmentLeft
from shared.contracts.support_ticket import SurveyInvited, TicketReplied
from shared.contracts.topology import CUSTOMER_STATE, ORDER_STATE
from shared.db.unit_of_work import UnitOfWork
from shared.part.context import PartContext
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply, EventHandlers

_PlanningHandler = Callable[..., Awaitable[None]]


def build_handlers(
    context: PartContext[MessagingSettings], *, wiring: Wiring | None = None
) -> EventHandlers:
    """The reaction to every event that this service subscribed to; planning wakes the sender."""
    shared = wiring or Wiring.of(context)

    def planning(handler: _PlanningHandler) -> Apply:
        async def apply(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
            await handler(uow, events, ledger=shared.ledger(uow))

        return apply

    async def channels_changed(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        await project_channels(uow, events, secrets=shared.secrets)

    handlers = (
        EventHandlers()
        .on(TenantProvisioned, apply=provision_shops)
        .on(EmailChannelChanged, apply=channels_changed)
        .on(*CUSTOMER_STATE, apply=planning(_customers_told))
        .on(*ORDER_STATE, apply=project_orders)
        .on(SegmentEntered, apply=planning(on_segment_entered))
        .on(SegmentLeft, apply=planning(on_segment_left))
        .on(TicketReplied, apply=planning(on_ticket_replied))
        .on(SurveyInvited, apply=planning(on_survey_invited))
        .on(LeadConfirmationRequested, apply=planning(on_lead_confirmation_requested))
        .on(StaffMailRequested, apply=planning(on_staff_mail_requested))
    )
    return part_privacy(context.settings.root_key).attach(handlers)


async def _customers_told(uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger) -> None:
    """Messages may have been planned for customers before anything was known of them."""
    await ledger.release_waiting(await project_customers(uow, events))
