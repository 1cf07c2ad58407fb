"""Who listens to whom. A source carries to a consumer only the types it subscribed to."""

from collections.abc import Mapping

from shared.contracts import care, retention
from shared.contracts import customer as c
from shared.contracts import duplicates as d
from shared.contracts import gateway as g
from shared.contracts import imports as i
from shared.contracts import leads as l
from shared.contracts import loyalty as y
from shared.contracts import messaging as m
from shared.contracts import privacy as p
from shared.contracts import reviews as r
from shared.contracts import segmentation as s
from shared.contracts import support_ticket as t
from shared.contracts.audit import AuditRecorded
from shared.contracts.event import Event

CUSTOMER_STATE = (
    *(c.CustomerCreated, c.CustomerUpdated, c.CustomerSnapshotted),
    *(c.CustomerMerged, c.CustomerUnmerged),
)
ORDER_STATE = (c.OrderPlaced, c.OrderUpdated, c.OrderSnapshotted)
TICKET_STATE = (t.TicketCreated, t.TicketUpdated, t.TicketResolved, t.TicketSnapshotted)
MESSAGE_STATE = (m.MessageSent, m.MessageSuppressed, m.MessageFailed)
MEMBERSHIP = (s.SegmentEntered, s.SegmentLeft)
AUDIT = (AuditRecorded,)
ORDER_STEPS = (
    *(c.OrderPaid, c.OrderFulfilled, c.OrderDelivered),
    *(c.OrderCancelled, c.OrderRefunded, c.OrderReturned),
)
PUBLIC_CUSTOMER = (
    *(c.CustomerCreated, c.CustomerUpdated, c.CustomerMerged, c.CustomerUnmerged),
    *(c.OrderPlaced, c.OrderUpdated),
    *ORDER_STEPS,
)
ERASURE = (p.CustomerErased, p.PersonalDataRequested)
ERASED = (p.ErasureConfirmed, p.PersonalDataTold)
PUBLIC_PRIVACY = (
    *(p.PrivacyRequestReceived, p.PrivacyRequestUpdated, p.PrivacyRequestDue),
    retention.RetentionRunFinished,
)
PUBLIC_LEAD = (l.LeadCaptured, l.LeadConverted)
PUBLIC_REVIEW = (r.ReviewCreated, r.ReviewUpdated, r.ReviewPublished)
PUBLIC_CARE = (care.TaskDue, care.AppointmentDue)
PUBLIC_DUPLICATES = (d.DuplicatesScanned,)
PUBLIC_LOYALTY = (
    *(y.PointsEarned, y.PointsBecameAvailable, y.PointsRedeemed, y.PointsRestored),
    *(y.PointsAdjusted, y.PointsReversed, y.PointsExpiring, y.PointsExpired),
    *(y.TierRaised, y.TierLowered, y.TierGraceBegan, y.ReferralRewarded),
    *(y.VoucherIssued, y.VoucherRedeemed, y.VoucherRedemptionCancelled),
)
PUBLIC_IMPORTS = (i.ImportFinished,)
PUBLIC_TICKET = (
    *(t.TicketCreated, t.TicketUpdated, t.TicketReplied, t.TicketResolved),
    t.SurveyAnswered,
)
PUBLIC_MESSAGE = (*MESSAGE_STATE, m.RecipientUnsubscribed, m.InboundMessageReceived)

_Subscriptions = Mapping[str, Mapping[str, tuple[type[Event], ...]]]

_SUBSCRIPTIONS: _Subscriptions = {
    "gateway": {
        "gateway": (*AUDIT, g.StaffChanged, g.WebhookEndpointDisabled),
        "customer": (
            g.TenantProvisioned,
            g.StaffChanged,
            g.PlatformCustomerReceived,
            g.PlatformOrderReceived,
            g.PlatformPrivacyRequested,
            g.PlatformShopRedacted,
            *ERASED,
        ),
        "segmentation": (g.TenantProvisioned,),
        "support_ticket": (g.TenantProvisioned, g.StaffChanged),
        "messaging": (g.TenantProvisioned, g.EmailChannelChanged, g.StaffMailRequested),
    },
    "customer": {
        "gateway": (
            *(*AUDIT, *PUBLIC_CUSTOMER, *PUBLIC_LEAD, *PUBLIC_CARE),
            *(*PUBLIC_REVIEW, *PUBLIC_PRIVACY, *PUBLIC_DUPLICATES, *PUBLIC_LOYALTY),
            *(*PUBLIC_IMPORTS, *ERASURE),
            c.CustomFieldDefined,
            p.ErasedPersonDelivered,
            p.CustomerSourceForgotten,
        ),
        "customer": (*ERASURE, *ERASED),
        "segmentation": (
            *(*CUSTOMER_STATE, *ORDER_STATE, c.SnapshotCompleted),
            *(c.CustomFieldDefined, *ERASURE),
        ),
        "support_ticket": (*CUSTOMER_STATE, *ERASURE),
        "messaging": (*CUSTOMER_STATE, *ORDER_STATE, l.LeadConfirmationRequested, *ERASURE),
    },
    "segmentation": {
        "gateway": (*AUDIT, *MEMBERSHIP),
        "customer": (*MEMBERSHIP, s.SnapshotRequested, *ERASED),
        "support_ticket": MEMBERSHIP,
        "messaging": MEMBERSHIP,
    },
    "support_ticket": {
        "gateway": (*AUDIT, *PUBLIC_TICKET),
        "customer": (
            *(t.TicketCreated, t.TicketUpdated, t.TicketReplied, t.TicketResolved),
            *(t.SurveyAnswered, *ERASED),
        ),
        "segmentation": (*TICKET_STATE, t.SurveyAnswered),
        "messaging": (t.TicketReplied, t.SurveyInvited),
    },
    "messaging": {
        "gateway": (*AUDIT, *PUBLIC_MESSAGE),
        "customer": (
            *(*MESSAGE_STATE, m.RecipientUnsubscribed, m.InboundMessageReceived),
            *ERASED,
        ),
        "segmentation": MESSAGE_STATE,
        "support_ticket": (m.InboundMessageReceived,),
    },
}

SUBSCRIPTIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    source: {
        consumer: frozenset(event.type for event in events)
        for consumer, events in consumers.items()
    }
    for source, consumers in _SUBSCRIPTIONS.items()
}
