"""The public catalogue: which of our contracts the outside hears of, under which stable names.

Names and data of these events are a promise. They are told apart from the contracts between our
parts so that those can change. What is not listed here (snapshots, raw deliveries of platforms,
links that are credentials) never leaves.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from gateway.events.objects import (
    EventAppointment,
    EventCustomer,
    EventDuplicateScan,
    EventErasure,
    EventInboundMessage,
    EventLead,
    EventLeadConversion,
    EventMembership,
    EventMessage,
    EventOrder,
    EventPrivacyRequest,
    EventReply,
    EventReview,
    EventStaff,
    EventSurvey,
    EventTask,
    EventTicket,
    EventUnsubscription,
    EventWebhookEndpoint,
)
from gateway.events.projection import Plain, PublicObject, Whole, project
from shared.contracts import care
from shared.contracts import customer as c
from shared.contracts import duplicates as d
from shared.contracts import gateway as g
from shared.contracts import leads as l
from shared.contracts import messaging as m
from shared.contracts import privacy as p
from shared.contracts import reviews as r
from shared.contracts import segmentation as s
from shared.contracts import support_ticket as t
from shared.contracts.event import Event as Contract


class CustomerData(PublicObject):
    """A customer."""

    customer: EventCustomer


class CustomerMergeData(PublicObject):
    """A record of a customer, and the merge that was done or undone."""

    customer: EventCustomer
    merge_id: UUID


class PrivacyRequestData(PublicObject):
    """A request by law."""

    request: EventPrivacyRequest


class ErasureData(PublicObject):
    """The end of a person's data."""

    erasure: Annotated[EventErasure, Whole()]


class LeadData(PublicObject):
    """A lead."""

    lead: EventLead


class LeadConversionData(PublicObject):
    """A lead that became a customer."""

    conversion: Annotated[EventLeadConversion, Whole()]


class OrderData(PublicObject):
    """An order."""

    order: EventOrder


class ReviewData(PublicObject):
    """A review of a product, or a rating of an order."""

    review: EventReview


class TaskData(PublicObject):
    """A task."""

    task: EventTask


class AppointmentData(PublicObject):
    """An appointment."""

    appointment: EventAppointment


class DuplicateScanData(PublicObject):
    """A scan for duplicates."""

    scan: EventDuplicateScan


class TicketData(PublicObject):
    """A ticket."""

    ticket: EventTicket


class TicketReplyData(PublicObject):
    """A ticket, and what was answered."""

    ticket: EventTicket
    reply: Annotated[EventReply, Whole()]


class SurveyData(PublicObject):
    """An answer, and the ticket that was asked about."""

    survey: Annotated[EventSurvey, Whole()]
    ticket: EventTicket


class MessageData(PublicObject):
    """A message."""

    message: EventMessage


class MembershipData(PublicObject):
    """An entry into or exit from a segment."""

    membership: EventMembership


class UnsubscriptionData(PublicObject):
    """Who said stop to what."""

    unsubscription: Annotated[EventUnsubscription, Whole()]


class InboundMessageData(PublicObject):
    """What was written to the shop."""

    inbound_message: Annotated[EventInboundMessage, Whole()]


class StaffData(PublicObject):
    """A member of staff."""

    staff: EventStaff


class WebhookEndpointData(PublicObject):
    """A webhook endpoint."""

    webhook_endpoint: Annotated[EventWebhookEndpoint, Whole()]


class TestData(PublicObject):
    """Nothing but a greeting."""

    __test__ = False

    message: str = "It works."


class EventBase(BaseModel):
    """Something that happened. The same object in the feed, in the stream and in webhooks."""

    model_config = ConfigDict(extra="forbid")

    id: UUID = Field(description="Stays the same however often the event is sent")
    object: Literal["event"] = "event"
    position: int | None = Field(
        description="Its place in the shop's feed: 1, 2, 3, … without a gap. Null in a test event"
    )
    occurred_at: datetime


class CustomerCreated(EventBase):
    """A customer became known."""

    type: Literal["customer.created"]
    data: CustomerData


class CustomerUpdated(EventBase):
    """Anything about a customer changed, consents and order figures too."""

    type: Literal["customer.updated"]
    data: CustomerData


class CustomerMerged(EventBase):
    """A record was merged: `merged_into` stands for it. Its id and code lead there from now on."""

    type: Literal["customer.merged"]
    data: CustomerMergeData


class CustomerUnmerged(EventBase):
    """A record stands for itself again, or another one than before stands for it."""

    type: Literal["customer.unmerged"]
    data: CustomerMergeData


class CustomerErased(EventBase):
    """A person's data are gone everywhere: whoever copied them has to forget them, too."""

    type: Literal["customer.erased"]
    data: ErasureData


class PrivacyRequestReceived(EventBase):
    """Somebody asked for what the law gives them."""

    type: Literal["privacy_request.received"]
    data: PrivacyRequestData


class PrivacyRequestUpdated(EventBase):
    """A request by law went on: it was acknowledged, extended, begun, completed, refused."""

    type: Literal["privacy_request.updated"]
    data: PrivacyRequestData


class PrivacyRequestDue(EventBase):
    """The time to answer a request by law is about to run out."""

    type: Literal["privacy_request.due"]
    data: PrivacyRequestData


class LeadCaptured(EventBase):
    """Somebody left their details, by a form or with staff."""

    type: Literal["customer.lead_captured"]
    data: LeadData


class LeadConverted(EventBase):
    """A lead paid a first order, and is a customer now."""

    type: Literal["customer.lead_converted"]
    data: LeadConversionData


class OrderPlaced(EventBase):
    """A known customer placed an order."""

    type: Literal["order.placed"]
    data: OrderData


class OrderUpdated(EventBase):
    """An order changed."""

    type: Literal["order.updated"]
    data: OrderData


class OrderPaid(EventBase):
    """An order was paid for, also one that came paid."""

    type: Literal["order.paid"]
    data: OrderData


class OrderFulfilled(EventBase):
    """An order is on its way."""

    type: Literal["order.fulfilled"]
    data: OrderData


class OrderDelivered(EventBase):
    """An order has arrived."""

    type: Literal["order.delivered"]
    data: OrderData


class OrderCancelled(EventBase):
    """An order was called off."""

    type: Literal["order.cancelled"]
    data: OrderData


class OrderRefunded(EventBase):
    """More of an order's money went back."""

    type: Literal["order.refunded"]
    data: OrderData


class OrderReturned(EventBase):
    """Goods of an order came back."""

    type: Literal["order.returned"]
    data: OrderData


class ReviewCreated(EventBase):
    """Somebody said something of a product, or of an order."""

    type: Literal["review.created"]
    data: ReviewData


class ReviewPublished(EventBase):
    """A review of a product is there for everybody to read."""

    type: Literal["review.published"]
    data: ReviewData


class TaskDue(EventBase):
    """The time that was set to remind of an open task has come."""

    type: Literal["task.due"]
    data: TaskData


class AppointmentDue(EventBase):
    """A planned appointment comes near, as long before as it says."""

    type: Literal["appointment.due"]
    data: AppointmentData


class DuplicatesScanned(EventBase):
    """A scan for duplicates has reached its end."""

    type: Literal["duplicates.scanned"]
    data: DuplicateScanData


class TicketCreated(EventBase):
    """A request arrived."""

    type: Literal["ticket.created"]
    data: TicketData


class TicketUpdated(EventBase):
    """Status, assignee, classification or figures of a ticket changed."""

    type: Literal["ticket.updated"]
    data: TicketData


class TicketReplied(EventBase):
    """An agent answered publicly."""

    type: Literal["ticket.replied"]
    data: TicketReplyData


class TicketResolved(EventBase):
    """A ticket was resolved."""

    type: Literal["ticket.resolved"]
    data: TicketData


class SurveyAnswered(EventBase):
    """A customer said how it went."""

    type: Literal["survey.answered"]
    data: SurveyData


class MessageSent(EventBase):
    """A provider took a message."""

    type: Literal["message.sent"]
    data: MessageData


class MessageSuppressed(EventBase):
    """A message was not sent, on purpose."""

    type: Literal["message.suppressed"]
    data: MessageData


class MessageFailed(EventBase):
    """A message could not be sent, or nobody can tell whether it was."""

    type: Literal["message.failed"]
    data: MessageData


class SegmentEntered(EventBase):
    """A customer joined a segment."""

    type: Literal["segment.entered"]
    data: MembershipData


class SegmentLeft(EventBase):
    """A customer left a segment."""

    type: Literal["segment.left"]
    data: MembershipData


class RecipientUnsubscribed(EventBase):
    """A person said stop."""

    type: Literal["recipient.unsubscribed"]
    data: UnsubscriptionData


class InboundMessageReceived(EventBase):
    """Somebody wrote to the shop."""

    type: Literal["inbound_message.received"]
    data: InboundMessageData


class StaffUpdated(EventBase):
    """A member of staff was added or changed."""

    type: Literal["staff.updated"]
    data: StaffData


class WebhookEndpointDisabled(EventBase):
    """An endpoint was switched off because it did not take what it was sent."""

    type: Literal["webhook_endpoint.disabled"]
    data: WebhookEndpointData


class WebhookEndpointTest(EventBase):
    """Sent to one endpoint on request; not in the feed."""

    type: Literal["webhook_endpoint.test"]
    data: TestData


FeedEvent = Annotated[
    CustomerCreated
    | CustomerUpdated
    | CustomerMerged
    | CustomerUnmerged
    | CustomerErased
    | PrivacyRequestReceived
    | PrivacyRequestUpdated
    | PrivacyRequestDue
    | LeadCaptured
    | LeadConverted
    | OrderPlaced
    | OrderUpdated
    | OrderPaid
    | OrderFulfilled
    | OrderDelivered
    | OrderCancelled
    | OrderRefunded
    | OrderReturned
    | ReviewCreated
    | ReviewPublished
    | TaskDue
    | AppointmentDue
    | DuplicatesScanned
    | TicketCreated
    | TicketUpdated
    | TicketReplied
    | TicketResolved
    | SurveyAnswered
    | MessageSent
    | MessageSuppressed
    | MessageFailed
    | SegmentEntered
    | SegmentLeft
    | RecipientUnsubscribed
    | InboundMessageReceived
    | StaffUpdated
    | WebhookEndpointDisabled,
    Field(discriminator="type"),
]


@dataclass(frozen=True, slots=True)
class Published:
    """How one contract is published."""

    name: str
    project: Callable[[Plain], dict[str, Any]]


_PUBLIC: Final[Mapping[type[Contract], type[EventBase]]] = {
    c.CustomerCreated: CustomerCreated,
    c.CustomerUpdated: CustomerUpdated,
    c.CustomerMerged: CustomerMerged,
    c.CustomerUnmerged: CustomerUnmerged,
    p.CustomerErased: CustomerErased,
    p.PrivacyRequestReceived: PrivacyRequestReceived,
    p.PrivacyRequestUpdated: PrivacyRequestUpdated,
    p.PrivacyRequestDue: PrivacyRequestDue,
    l.LeadCaptured: LeadCaptured,
    l.LeadConverted: LeadConverted,
    c.OrderPlaced: OrderPlaced,
    c.OrderUpdated: OrderUpdated,
    c.OrderPaid: OrderPaid,
    c.OrderFulfilled: OrderFulfilled,
    c.OrderDelivered: OrderDelivered,
    c.OrderCancelled: OrderCancelled,
    c.OrderRefunded: OrderRefunded,
    c.OrderReturned: OrderReturned,
    r.ReviewCreated: ReviewCreated,
    r.ReviewPublished: ReviewPublished,
    care.TaskDue: TaskDue,
    care.AppointmentDue: AppointmentDue,
    d.DuplicatesScanned: DuplicatesScanned,
    t.TicketCreated: TicketCreated,
    t.TicketUpdated: TicketUpdated,
    t.TicketReplied: TicketReplied,
    t.TicketResolved: TicketResolved,
    t.SurveyAnswered: SurveyAnswered,
    m.MessageSent: MessageSent,
    m.MessageSuppressed: MessageSuppressed,
    m.MessageFailed: MessageFailed,
    s.SegmentEntered: SegmentEntered,
    s.SegmentLeft: SegmentLeft,
    m.RecipientUnsubscribed: RecipientUnsubscribed,
    m.InboundMessageReceived: InboundMessageReceived,
    g.StaffChanged: StaffUpdated,
    g.WebhookEndpointDisabled: WebhookEndpointDisabled,
}


def _published(public: type[EventBase]) -> Published:
    data: type[PublicObject] = public.model_fields["data"].annotation  # type: ignore[assignment]
    return Published(name_of(public), lambda contract: project(data, contract))


def name_of(public: type[EventBase]) -> str:
    """The public name of an event."""
    name: str = public.model_fields["type"].annotation.__args__[0]  # type: ignore[union-attr]
    return name


CONTRACTS: Final[tuple[type[Contract], ...]] = tuple(_PUBLIC)
PUBLIC_EVENTS: Final[tuple[type[EventBase], ...]] = tuple(_PUBLIC.values())
PUBLISHED: Final[Mapping[str, Published]] = {
    contract.type: _published(public) for contract, public in _PUBLIC.items()
}
"""By the type of the contract."""

PUBLIC_TYPES: Final[tuple[str, ...]] = tuple(sorted(map(name_of, PUBLIC_EVENTS)))
TEST_TYPE: Final = name_of(WebhookEndpointTest)
EVERYTHING: Final = "*"


def unknown_patterns(patterns: Iterable[str]) -> list[str]:
    """Those of the patterns (`ticket.created`, `ticket.*`, `*`) that no public event can match."""
    return [pattern for pattern in patterns if not any(map(_matcher(pattern), PUBLIC_TYPES))]


def matching_types(patterns: Iterable[str]) -> frozenset[str]:
    """The public events that the patterns stand for."""
    return frozenset(
        name for pattern in patterns for name in PUBLIC_TYPES if _matcher(pattern)(name)
    )


def _matcher(pattern: str) -> Callable[[str], bool]:
    if pattern == EVERYTHING:
        return lambda _name: True
    if pattern.endswith(".*"):
        return lambda name: name.startswith(pattern[:-1])
    return lambda name: name == pattern
