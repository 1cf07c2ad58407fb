"""Customers who were changed are judged anew a moment later."""

from collections.abc import Sequence

from services.customer.quality.judging import Judge
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def judge_changed(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
    """The reaction to this service's own events of customers: their keys are the customers."""
    await Judge(uow).renew({envelope.key for envelope in envelopes})
