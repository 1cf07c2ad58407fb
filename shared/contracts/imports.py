"""What the customer service tells of imports."""

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from shared.contracts.event import Contract, Event


class ImportState(Contract):
    """A run that has ended, and what has become of the rows that it dealt with."""

    import_id: UUID
    version: int
    job_id: UUID
    source: str
    status: Literal["finished", "cancelled", "failed"]
    rows: int
    rows_done: int
    created: int
    updated: int
    unchanged: int
    merged: int
    invalid: int
    erased: int
    possible_duplicates: int
    created_at: datetime
    ended_at: datetime


class ImportFinished(Event):
    """The run of an import has ended, with all of its rows or before. Key: the import."""

    type: ClassVar[str] = "customer.import_finished"
    run: ImportState
