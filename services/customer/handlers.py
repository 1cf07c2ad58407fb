"""Which function of the customer service reacts to which event."""

from services.customer.colleagues.handlers import keep_colleagues
from services.customer.consents.handlers import withdraw_consents
from services.customer.interactions.handlers import keep_in_touch
from services.customer.platforms.handlers import take_in_deliveries
from services.customer.quality.handlers import judge_changed
from services.customer.settings import CustomerSettings
from services.customer.snapshots.handlers import begin_snapshots
from services.customer.tasks.handlers import follow_up_surveys
from services.customer.tenants.handlers import provision_tenants
from services.customer.tenants.shops import Shops
from services.customer.timeline.handlers import tell_timeline
from shared.contracts.customer import CustomerCreated, CustomerUpdated
from shared.contracts.gateway import (
    PlatformCustomerReceived,
    PlatformOrderReceived,
    StaffChanged,
    TenantProvisioned,
)
from shared.contracts.messaging import (
    InboundMessageReceived,
    MessageFailed,
    MessageSent,
    MessageSuppressed,
    RecipientUnsubscribed,
)
from shared.contracts.segmentation import SegmentEntered, SegmentLeft, SnapshotRequested
from shared.contracts.support_ticket import (
    SurveyAnswered,
    TicketCreated,
    TicketReplied,
    TicketResolved,
)
from shared.part.context import PartContext
from shared.stream.handlers import EventHandlers


def build_handlers(context: PartContext[CustomerSettings]) -> EventHandlers:
    """The reactions of this service to the events it subscribed to."""
    shops = Shops()
    return (
        EventHandlers()
        .on(TenantProvisioned, apply=provision_tenants(context.settings))
        .on(StaffChanged, apply=keep_colleagues)
        .on(
            PlatformCustomerReceived,
            PlatformOrderReceived,
            apply=take_in_deliveries(codes=context.codes, shops=shops),
        )
        .on(RecipientUnsubscribed, apply=withdraw_consents(shops))
        .on(SnapshotRequested, apply=begin_snapshots(context.queue))
        .on(SurveyAnswered, apply=follow_up_surveys)
        .on(
            SegmentEntered,
            SegmentLeft,
            TicketResolved,
            MessageSent,
            MessageSuppressed,
            MessageFailed,
            apply=tell_timeline,
        )
        .on(TicketCreated, TicketReplied, InboundMessageReceived, apply=keep_in_touch)
        .on(CustomerCreated, CustomerUpdated, apply=judge_changed)
    )
