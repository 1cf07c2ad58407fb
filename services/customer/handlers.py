"""Which function of the customer service reacts to which event."""

from collections.abc import Sequence

from services.customer.care_statistics.handlers import count_tickets
from services.customer.colleagues.handlers import keep_colleagues
from services.customer.consents.handlers import withdraw_consents
from services.customer.erased.identities import IdentityDigests
from services.customer.interactions.handlers import keep_in_touch
from services.customer.jobs import build_job_kinds
from services.customer.platforms.handlers import take_in_deliveries
from services.customer.privacy.handlers import (
    collect_data,
    confirm_erasures,
    forget_shops,
    open_requests,
)
from services.customer.privacy.receipts import ReceiptSigner
from services.customer.privacy.wiring import customer_privacy
from services.customer.settings import CustomerSettings
from services.customer.snapshots.handlers import begin_snapshots
from services.customer.tasks.handlers import follow_up_surveys
from services.customer.tenants.handlers import provision_tenants
from services.customer.tenants.shops import Shops
from services.customer.timeline.handlers import tell_timeline
from shared.contracts.gateway import (
    PlatformCustomerReceived,
    PlatformOrderReceived,
    PlatformPrivacyRequested,
    PlatformShopRedacted,
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
from shared.contracts.privacy import ErasureConfirmed, PersonalDataTold
from shared.contracts.segmentation import SegmentEntered, SegmentLeft, SnapshotRequested
from shared.contracts.support_ticket import (
    SurveyAnswered,
    TicketCreated,
    TicketReplied,
    TicketResolved,
    TicketUpdated,
)
from shared.db.unit_of_work import UnitOfWork
from shared.part.context import PartContext
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply, EventHandlers


def build_handlers(context: PartContext[CustomerSettings]) -> EventHandlers:
    """The reactions of this service to the events it subscribed to."""
    shops, root = Shops(), context.settings.root_key
    privacy = customer_privacy(root)
    kinds = build_job_kinds(context)
    handlers = (
        EventHandlers()
        .on(TenantProvisioned, apply=provision_tenants(context.settings))
        .on(StaffChanged, apply=keep_colleagues)
        .on(
            PlatformCustomerReceived,
            PlatformOrderReceived,
            apply=take_in_deliveries(
                codes=context.codes, shops=shops, digests=IdentityDigests(root), privacy=privacy
            ),
        )
        .on(RecipientUnsubscribed, apply=withdraw_consents(shops))
        .on(SnapshotRequested, apply=begin_snapshots(context.queue))
        .on(SurveyAnswered, apply=_counted(follow_up_surveys))
        .on(TicketResolved, apply=_counted(tell_timeline))
        .on(TicketCreated, TicketReplied, apply=_counted(keep_in_touch))
        .on(TicketUpdated, apply=count_tickets)
        .on(
            SegmentEntered,
            SegmentLeft,
            MessageSent,
            MessageSuppressed,
            MessageFailed,
            apply=tell_timeline,
        )
        .on(InboundMessageReceived, apply=keep_in_touch)
        .on(PlatformPrivacyRequested, apply=open_requests(root, shops))
        .on(PlatformShopRedacted, apply=forget_shops(shops, kinds))
        .on(PersonalDataTold, apply=collect_data(kinds))
        .on(ErasureConfirmed, apply=confirm_erasures(ReceiptSigner(root), shops))
    )
    return privacy.attach(handlers)


def _counted(apply: Apply) -> Apply:
    """The same, and what it tells of tickets is counted for who worked on them."""

    async def applied(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        await apply(uow, envelopes)
        await count_tickets(uow, envelopes)

    return applied
