"""Where a ticket stands against what was promised."""

from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.support_ticket.sla.clock_repository import ClockRepository
from services.support_ticket.sla.clocks import Clock
from services.support_ticket.sla.episodes import EpisodeClocks
from services.support_ticket.sla.schemas import ClockRead, TicketSlaRead, VersionRef
from services.support_ticket.tickets.repository import TicketRepository
from shared.db.unit_of_work import UnitOfWork

_SECOND: Final = timedelta(seconds=1)


class TicketSlaService:
    """Reads the clocks of one tenant's tickets."""

    def __init__(
        self, *, uow: UnitOfWork, tickets: TicketRepository, clocks: ClockRepository
    ) -> None:
        self._uow = uow
        self._tickets = tickets
        self._clocks = clocks

    async def get(self, ticket_id: UUID) -> TicketSlaRead:
        """The clocks of the current episode, as of now. Raises TicketNotFound."""
        ticket = await self._tickets.get(ticket_id)
        episode = await self._tickets.get_episode(ticket.id, ticket.episode)
        terms = await self._clocks.terms(
            policy_id=episode.policy_id,
            policy_version=episode.policy_version,
            calendar_id=episode.calendar_id,
            calendar_version=episode.calendar_version,
        )
        clocks = await self._clocks.load(ticket.id, ticket.episode, terms)
        now = self._uow.clock.now()
        return TicketSlaRead(
            ticket_id=ticket.id,
            episode=ticket.episode,
            priority=episode.priority,
            policy=VersionRef(id=episode.policy_id, version=episode.policy_version),
            calendar=VersionRef(id=episode.calendar_id, version=episode.calendar_version),
            clocks=[_read(clock, clocks, now) for clock in clocks.all()],
            as_of=now,
        )


def _read(clock: Clock, clocks: EpisodeClocks, now: datetime) -> ClockRead:
    consumed = clock.consumed_by(now, clocks.calendar)
    return ClockRead(
        metric=clock.metric,
        state=clock.state,
        target_seconds=clock.target // _SECOND,
        consumed_seconds=consumed // _SECOND,
        remaining_seconds=(clock.target - consumed) // _SECOND,
        started_at=clock.started_at,
        due_at=clock.due_at,
        ended_at=clock.ended_at,
        is_late=clock.is_late(now),
    )
