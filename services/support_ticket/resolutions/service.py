"""Settling a request: the ticket is resolved and its customer is asked how it went."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from services.support_ticket.resolutions.errors import ResolutionNotFound
from services.support_ticket.resolutions.repository import ResolutionRepository
from services.support_ticket.resolutions.schemas import (
    ResolutionCreate,
    ResolutionRead,
    ResolutionTotal,
)
from services.support_ticket.surveys.invitations import SurveyInvitations
from services.support_ticket.tickets.callers import Caller
from services.support_ticket.tickets.lifecycle import TicketLifecycle
from services.support_ticket.tickets.record import Ticket
from services.support_ticket.tickets.repository import TicketRepository
from shared.contracts.support_ticket import TicketResolved
from shared.db.unit_of_work import UnitOfWork
from shared.web.resources import check_version


class ResolutionService:
    """The resolutions of one tenant's tickets."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        tickets: TicketRepository,
        lifecycle: TicketLifecycle,
        resolutions: ResolutionRepository,
        invitations: SurveyInvitations,
    ) -> None:
        self._uow = uow
        self._tickets = tickets
        self._lifecycle = lifecycle
        self._resolutions = resolutions
        self._invitations = invitations

    async def resolve(
        self,
        ticket_id: UUID,
        how: ResolutionCreate,
        caller: Caller,
        *,
        expected_version: int | None,
    ) -> tuple[Ticket, ResolutionRead]:
        """End the current episode.

        Raises TicketNotFound, PreconditionFailed, TransitionNotAllowed.
        """
        current = await self._tickets.lock(ticket_id)
        check_version(current.version, expected_version)
        now = self._uow.clock.now()
        resolved = await self._lifecycle.resolve(current, how.kind, at=now)
        kept = await self._resolutions.add(resolved.id, resolved.episode, how, by=caller.id, at=now)
        self._uow.append(TicketResolved(ticket=resolved.state()), key=resolved.id)
        await self._invitations.invite(resolved)
        return resolved, kept

    async def get(self, ticket_id: UUID) -> ResolutionRead:
        """How the current episode ended. Raises TicketNotFound, ResolutionNotFound."""
        found = await self._tickets.get(ticket_id)
        kept = await self._resolutions.find(found.id, found.episode)
        if kept is None:
            raise ResolutionNotFound
        return kept

    async def totals(self, *, since: datetime, until: datetime) -> Sequence[ResolutionTotal]:
        """What settling requests came to, by kind, result and currency."""
        return await self._resolutions.totals(since=since, until=until)
