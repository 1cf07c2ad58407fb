"""What the segmentation service tells."""

from datetime import datetime
from typing import ClassVar, Final
from uuid import UUID

from shared.contracts.event import Contract, Event

# Reasons of moves by which nothing happened to a person: two records became one customer, or two.
BY_MERGE: Final = "customer_merged"
BY_UNMERGE: Final = "customer_unmerged"


class Membership(Contract):
    """One customer's entry into or exit from one segment.

    `customer_version` is the version of the customer that the decision was made on: who acts on
    it may know an older one, since customers are told of on another stream. None when the
    decision was made on no state of the customer. `reason` is one of those that the API of segments
    shows, `BY_MERGE` and `BY_UNMERGE` among them.
    """

    segment_id: UUID
    segment_key: str
    segment_name: str
    rule_version: int
    customer_id: UUID
    at: datetime
    reason: str
    customer_version: int | None = None


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
