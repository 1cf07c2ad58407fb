"""Reactions to what segmentation tells of customers."""

from collections.abc import Sequence

from services.support_ticket.customers.repository import CustomerRepository
from shared.contracts.segmentation import SegmentEntered, SegmentLeft
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def apply_memberships(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Keep who is in which segment."""
    moves = [
        (event.read(SegmentEntered).membership, True)
        if event.type == SegmentEntered.type
        else (event.read(SegmentLeft).membership, False)
        for event in events
    ]
    await CustomerRepository(uow).keep_memberships(moves)
