"""Reactions to what the gateway tells of the staff."""

from collections.abc import Sequence

from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.queues.repository import QueueRepository
from shared.contracts.gateway import StaffChanged
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def apply_staff(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Keep the staff; who may take tickets takes from the default queue, who may not leaves."""
    changed = await AgentRepository(uow).keep([event.read(StaffChanged).staff for event in events])
    queues = QueueRepository(uow)
    if joining := [agent.id for agent in changed if agent.takes_tickets]:
        await queues.join_default(joining)
    if leaving := [agent.id for agent in changed if not agent.takes_tickets]:
        await queues.leave(leaving)
