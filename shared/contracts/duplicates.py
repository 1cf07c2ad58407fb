"""What the customer service tells of the search for customers who are known twice."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event


class DuplicateScanState(Contract):
    """A scan that has reached its end, and what it has found."""

    scan_id: UUID
    mode: Literal["full", "changed"]
    min_score: int
    customers: int
    pairs: int
    new_pairs: int
    created_at: datetime
    finished_at: datetime


class DuplicatesScanned(Event):
    """A scan for duplicates has reached its end. Key: the scan."""

    type: ClassVar[str] = "customer.duplicates_scanned"
    scan: DuplicateScanState
