"""Which function of the support-ticket service reacts to which event."""

from collections.abc import Sequence

from services.support_ticket.customers.handlers import apply_memberships
from services.support_ticket.erasure import part_privacy
from services.support_ticket.provisioning.handlers import apply_tenants
from services.support_ticket.queues.handlers import apply_staff
from services.support_ticket.wiring import Context, inbound, linking
from shared.contracts.customer import CustomerUpdated
from shared.contracts.gateway import StaffChanged, TenantProvisioned
from shared.contracts.messaging import InboundMessageReceived
from shared.contracts.segmentation import SegmentEntered, SegmentLeft
from shared.contracts.topology import CUSTOMER_STATE
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope
from shared.stream.handlers import EventHandlers


def build_handlers(context: Context) -> EventHandlers:
    """The reactions of this service to the events it subscribed to."""

    async def take_inbound(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
        arrived = [event.read(InboundMessageReceived) for event in events]
        await inbound(uow, context).take(arrived)

    handlers = (
        EventHandlers()
        .on(TenantProvisioned, apply=apply_tenants)
        .on(StaffChanged, apply=apply_staff)
        .on(*CUSTOMER_STATE, apply=learn_customers)
        .on(SegmentEntered, SegmentLeft, apply=apply_memberships)
        .on(InboundMessageReceived, apply=take_inbound)
    )
    return part_privacy(context.settings.root_key).attach(handlers)


async def learn_customers(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Keep the customers, and give them the tickets that turn out to be theirs."""
    # The events carry the same thing.
    await linking(uow).learn([event.read(CustomerUpdated).customer for event in events])
