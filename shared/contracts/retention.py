"""What the customer service tells of its retention rules."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event


class RetentionRunState(Contract):
    """A run that has ended, in figures: whose data it was is not told."""

    run_id: UUID
    version: int
    kind: Literal["nightly", "manual", "dry_run"]
    status: Literal["finished", "cancelled", "failed"]
    rules: int
    people: int
    amounts: dict[str, int]
    left_alone: dict[str, int]
    started_at: datetime
    finished_at: datetime


class RetentionRunFinished(Event):
    """A run of the retention rules has come to an end. Key: the run."""

    type: ClassVar[str] = "customer.retention_run_finished"
    run: RetentionRunState
