"""The shop's own staff and endpoints."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import Field

from gateway.events.projection import From, PublicObject, Whole
from gateway.events.public.base import EventBase
from shared.contracts import gateway as g
from shared.contracts.event import Event


class EventStaff(PublicObject):
    """A member of staff as of the event."""

    id: Annotated[UUID, From("staff_id")]
    object: Literal["staff"] = "staff"
    version: int
    name: str
    email: str
    role: str
    active: bool


class EventWebhookEndpoint(PublicObject):
    """An endpoint that is sent nothing any more."""

    id: Annotated[UUID, From("endpoint_id")]
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    url: str
    description: str | None = None
    reason: Literal["failing", "gone"] = Field(
        description="`gone`: it answered 410. `failing`: it answered nothing good for days"
    )
    failing_since: datetime | None = None
    disabled_at: datetime


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


HouseEvent = StaffUpdated | WebhookEndpointDisabled

EVENTS: Final[Mapping[type[Event], type[EventBase]]] = {
    g.StaffChanged: StaffUpdated,
    g.WebhookEndpointDisabled: WebhookEndpointDisabled,
}
