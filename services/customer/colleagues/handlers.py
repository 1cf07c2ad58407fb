"""Reactions to what the gateway tells of the staff."""

from collections.abc import Sequence

from services.customer.colleagues.repository import ColleagueRepository
from shared.contracts.gateway import StaffChanged
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def keep_colleagues(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    """Know who works here, and in which teams."""
    await ColleagueRepository(uow).keep([one.read(StaffChanged).staff for one in envelopes])
