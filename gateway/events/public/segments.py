"""Who belongs to which segment."""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

from gateway.events.projection import PublicObject
from gateway.events.public.base import EventBase
from shared.contracts import segmentation as s
from shared.contracts.event import Event


class EventMembership(PublicObject):
    """One customer's entry into or exit from one segment."""

    object: Literal["segment_membership"] = "segment_membership"
    segment_id: UUID
    segment_key: str
    segment_name: str
    rule_version: int
    customer_id: UUID
    at: datetime
    reason: str


class MembershipData(PublicObject):
    """An entry into or exit from a segment."""

    membership: EventMembership


class SegmentEntered(EventBase):
    """A customer joined a segment."""

    type: Literal["segment.entered"]
    data: MembershipData


class SegmentLeft(EventBase):
    """A customer left a segment."""

    type: Literal["segment.left"]
    data: MembershipData


SegmentEvent = SegmentEntered | SegmentLeft

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    s.SegmentEntered: SegmentEntered,
    s.SegmentLeft: SegmentLeft,
}
