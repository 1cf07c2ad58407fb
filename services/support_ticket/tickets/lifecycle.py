"""What happens to a locked ticket: its status, its clocks and its episode change together."""

from datetime import datetime
from typing import Any

from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.sla.clock_repository import ClockRepository
from services.support_ticket.sla.clocks import Metric
from services.support_ticket.sla.episodes import EpisodeClocks, SlaTerms
from services.support_ticket.tickets.errors import TransitionNotAllowed
from services.support_ticket.tickets.priority import Priority
from services.support_ticket.tickets.record import Ticket
from services.support_ticket.tickets.repository import TicketRepository
from services.support_ticket.tickets.states import ENDED, allowed_transitions
from shared.contracts.support_ticket import TicketStatus


class TicketLifecycle:
    """Moves tickets of one tenant through their states. Every method takes a locked ticket."""

    def __init__(
        self, *, tickets: TicketRepository, clocks: ClockRepository, agents: AgentRepository
    ) -> None:
        self._tickets = tickets
        self._clocks = clocks
        self._agents = agents

    async def move(self, current: Ticket, to: TicketStatus, *, at: datetime) -> Ticket:
        """Go to another status. Raises TransitionNotAllowed."""
        _require_allowed(current, to)
        if to == "closed":
            return await self._close(current, at)
        if current.status in ENDED:
            return await self.reopen(current, at=at)
        clocks, _ = await self._load(current)
        _wait_or_go_on(clocks, to, at)
        return await self._keep(current, clocks, {"status": to}, {})

    async def hear(self, current: Ticket, *, at: datetime) -> Ticket:
        """The customer has written: what waited for them goes on, what had ended begins again."""
        if current.status in ENDED:
            return await self.reopen(current, at=at)
        if current.status not in ("pending_customer", "on_hold"):
            return await self._tickets.update(current, {"last_message_at": at})
        clocks, _ = await self._load(current)
        clocks.go_on(at)
        return await self._keep(current, clocks, {"status": "open", "last_message_at": at}, {})

    async def answer(self, current: Ticket, to: TicketStatus, *, at: datetime) -> Ticket:
        """A person of the shop has answered in public. Raises TransitionNotAllowed.

        The first such answer of an episode is its first response; nothing else is.
        """
        if to != current.status:
            _require_allowed(current, to)
        if current.status in ENDED:
            if to == current.status:
                return await self._tickets.update(current, {"last_message_at": at})
            current = await self.reopen(current, at=at)
        changes: dict[str, Any] = {"status": to, "last_message_at": at}
        episode: dict[str, Any] = {}
        if current.first_responded_at is None:
            changes["first_responded_at"] = episode["first_responded_at"] = at
        elif to == current.status:
            return await self._tickets.update(current, changes)
        clocks, _ = await self._load(current)
        clocks.answered(at)
        _wait_or_go_on(clocks, to, at)
        return await self._keep(current, clocks, changes, episode)

    async def resolve(self, current: Ticket, kind: str, *, at: datetime) -> Ticket:
        """End the episode. Raises TransitionNotAllowed."""
        _require_allowed(current, "resolved")
        clocks, _ = await self._load(current)
        clocks.resolved(at)
        figures = {"resolution": kind, "resolved_at": at}
        return await self._keep(current, clocks, {"status": "resolved", **figures}, figures)

    async def reopen(self, current: Ticket, *, at: datetime) -> Ticket:
        """Begin a new episode, with a promise of its own; the one before stays as it was.

        It stays with its agent, unless the agent takes tickets no more: then nobody has it.
        """
        terms = await self._clocks.current_terms()
        clocks = terms.start(current.priority, at)
        reopened = await self._tickets.update(
            current,
            {
                "status": "open",
                "episode": current.episode + 1,
                "assignee_id": await self._assignee_of(current),
                "resolution": None,
                "first_responded_at": None,
                "resolved_at": None,
                "closed_at": None,
                "last_message_at": at,
                **_due_times(clocks),
            },
        )
        await self._tickets.add_episode(reopened, terms, at)
        await self._clocks.add(reopened.id, reopened.episode, clocks)
        return reopened

    async def reclassify(
        self, current: Ticket, changes: dict[str, Any], *, priority: Priority, at: datetime
    ) -> Ticket:
        """Change what is known of a ticket; with another priority it is due at another time."""
        of_episode = {name: changes[name] for name in ("assignee_id",) if name in changes}
        if priority == current.priority or current.status in ENDED:
            updated = await self._tickets.update(current, changes)
            if of_episode:
                await self._tickets.update_episode(current.id, current.episode, of_episode)
            return updated
        clocks, terms = await self._load(current)
        clocks.retarget(terms.targets, priority, at)
        ranked = {"priority": priority}
        return await self._keep(current, clocks, changes | ranked, of_episode | ranked)

    async def _close(self, current: Ticket, at: datetime) -> Ticket:
        closed = await self._tickets.update(current, {"status": "closed", "closed_at": at})
        await self._tickets.update_episode(current.id, current.episode, {"closed_at": at})
        return closed

    async def _assignee_of(self, current: Ticket) -> Any:
        if current.assignee_id is None:
            return None
        agent = await self._agents.find(current.assignee_id)
        return agent.id if agent is not None and agent.takes_tickets else None

    async def _load(self, current: Ticket) -> tuple[EpisodeClocks, SlaTerms]:
        episode = await self._tickets.get_episode(current.id, current.episode)
        terms = await self._clocks.terms(
            policy_id=episode.policy_id,
            policy_version=episode.policy_version,
            calendar_id=episode.calendar_id,
            calendar_version=episode.calendar_version,
        )
        return await self._clocks.load(current.id, current.episode, terms), terms

    async def _keep(
        self,
        current: Ticket,
        clocks: EpisodeClocks,
        changes: dict[str, Any],
        of_episode: dict[str, Any],
    ) -> Ticket:
        await self._clocks.save(current.id, current.episode, clocks)
        if of_episode:
            await self._tickets.update_episode(current.id, current.episode, of_episode)
        return await self._tickets.update(current, changes | _due_times(clocks))


def _require_allowed(current: Ticket, to: TicketStatus) -> None:
    allowed = allowed_transitions(current.status)
    if to not in allowed:
        raise TransitionNotAllowed(current.status, to, allowed)


def _wait_or_go_on(clocks: EpisodeClocks, to: TicketStatus, at: datetime) -> None:
    """Only waiting for the customer stops the shop's clock; being on hold is the shop's affair."""
    if to == "pending_customer":
        clocks.wait_for_customer(at)
    else:
        clocks.go_on(at)


def _due_times(clocks: EpisodeClocks) -> dict[str, datetime | None]:
    return {
        "first_response_due_at": clocks.due_at(Metric.FIRST_RESPONSE),
        "resolution_due_at": clocks.due_at(Metric.RESOLUTION),
    }
