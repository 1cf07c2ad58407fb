"""What the segmentation service tells."""

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from shared.contracts.event import Contract, Event


class Membership(Contract):
    """One customer's entry into or exit from one segment.

    `customer_version` is the version of the customer that the decision was made on: who acts on
    it may know an older one, since customers are told of on another stream. None when the
    decision was made on no state of the customer. `record_ids` are all records of the person, who
    were one when it was made; empty where the customer has one record only.
    """

    segment_id: UUID
    segment_key: str
    segment_name: str
    rule_version: int
    customer_id: UUID
    at: datetime
    reason: str
    customer_version: int | None = None
    record_ids: tuple[UUID, ...] = ()


class SegmentEntered(Event):
    """A customer joined a segment. Key: the customer."""

    type: ClassVar[str] = "segmentation.segment_entered"
    membership: Membership


class SegmentLeft(Event):
    """A customer left a segment. Key: the customer."""

    type: ClassVar[str] = "segmentation.segment_left"
    membership: Membership


class SnapshotRequested(Event):
    """This service rebuilds: the customer service shall tell everything again. Key: the job."""

    type: ClassVar[str] = "segmentation.snapshot_requested"
    job_id: UUID
