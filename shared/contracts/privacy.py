"""What all parts tell each other when a person asks for their data, or for its end."""

from datetime import datetime
from typing import Any, ClassVar, Literal
from uuid import UUID

from pydantic import Field

from shared.contracts.event import Contract, Event

PrivacyRequestKind = Literal[
    "access",
    "portability",
    "rectification",
    "restriction",
    "objection",
    "withdrawal",
    "erasure",
]
PrivacyRequestStatus = Literal[
    "received", "acknowledged", "in_progress", "completed", "refused", "cancelled"
]
PersonalDataUse = Literal["export", "preview"]


class PrivacyRequestState(Contract):
    """What somebody asks for by law, and by when they must have it. Nothing of what they wrote."""

    request_id: UUID
    version: int
    kind: PrivacyRequestKind
    status: PrivacyRequestStatus
    customer_id: UUID | None
    law: str
    received_at: datetime
    acknowledge_by: datetime | None
    acknowledged_at: datetime | None = None
    due_at: datetime
    extended: bool = False
    closed_at: datetime | None = None


class PrivacyRequestReceived(Event):
    """Somebody asked for what the law gives them. Key: the request."""

    type: ClassVar[str] = "customer.privacy_request_received"
    request: PrivacyRequestState


class PrivacyRequestUpdated(Event):
    """A request went on: it was acknowledged, extended, begun, completed. Key: the request."""

    type: ClassVar[str] = "customer.privacy_request_updated"
    request: PrivacyRequestState


class PrivacyRequestDue(Event):
    """The time to answer a request is about to run out. Key: the request."""

    type: ClassVar[str] = "customer.privacy_request_due"
    request: PrivacyRequestState


class PersonalDataRequested(Event):
    """Every part is to tell what it has of a person. Key: the person.

    `sealed` opens with `SecretBox` to the addresses and platform ids that the person is known by.
    """

    type: ClassVar[str] = "customer.personal_data_requested"
    collection_id: UUID
    use: PersonalDataUse
    customer_ids: tuple[UUID, ...]
    sealed: str


class TableShare(Contract):
    """What a part has of a person in one table; rows only where they were asked for."""

    table: str
    rows_found: int
    rows: tuple[dict[str, Any], ...] = ()
    on_erasure: Literal["deleted", "anonymised", "kept"]
    kept: dict[str, str] = Field(default_factory=dict)


class PersonalDataTold(Event):
    """A piece of what a part has of a person. Key: the collection. `last` ends the part's share."""

    type: ClassVar[str] = "privacy.personal_data_told"
    collection_id: UUID
    part: str
    number: int
    last: bool
    tables: tuple[TableShare, ...]


class TableErasure(Contract):
    """How many rows of a table were deleted or made anonymous."""

    table: str
    rows: int
    how: Literal["deleted", "anonymised"]


class CustomerErased(Event):
    """A person's data are to be gone everywhere. Key: the record that stood for them.

    `customer_ids` are all their records; `sealed` as in `PersonalDataRequested`. `at_once` is what
    the service that tells it has erased of its own before it told.
    """

    type: ClassVar[str] = "customer.erased"
    erasure_id: UUID
    customer_id: UUID
    customer_ids: tuple[UUID, ...]
    erased_at: datetime
    sealed: str
    at_once: tuple[TableErasure, ...] = ()


class ErasedPersonDelivered(Event):
    """Platforms told of people who were erased. Key: the first delivery.

    What `delivery_ids` name is not to be kept by whoever took it.
    """

    type: ClassVar[str] = "customer.erased_person_delivered"
    delivery_ids: tuple[UUID, ...]


class CustomerSourceForgotten(Event):
    """What one platform told of a person is to be gone; what others told stays. Key: the person.

    `sealed` opens with `SecretBox` to the person's accounts and orders at that platform.
    """

    type: ClassVar[str] = "customer.source_forgotten"
    customer_id: UUID
    source: str
    forgotten_at: datetime
    sealed: str


class ErasureConfirmed(Event):
    """A part has nothing of a person any more. Key: the erasure."""

    type: ClassVar[str] = "privacy.erasure_confirmed"
    erasure_id: UUID
    part: str
    confirmed_at: datetime
    tables: tuple[TableErasure, ...]
