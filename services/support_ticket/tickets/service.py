"""The ticket desk: opening, reading, classifying and moving tickets."""

from collections.abc import Sequence
from uuid import UUID

from services.support_ticket.agents.errors import UnknownTeam
from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.customers.repository import CustomerProfile, CustomerRepository
from services.support_ticket.tickets.callers import Caller
from services.support_ticket.tickets.errors import (
    RequesterErased,
    RequesterNotFound,
    RequesterNotYours,
    UnknownAssignee,
)
from services.support_ticket.tickets.lifecycle import TicketLifecycle
from services.support_ticket.tickets.opening import Request, TicketOpening
from services.support_ticket.tickets.priorities import PriorityRepository
from services.support_ticket.tickets.priority import priority_of
from services.support_ticket.tickets.record import Contact, CustomerLink, Ticket
from services.support_ticket.tickets.repository import TicketFilter, TicketRepository
from services.support_ticket.tickets.schemas import (
    EpisodeRead,
    RequesterInput,
    TicketCreate,
    TicketCustomerRead,
    TicketSegmentRead,
    TicketUpdate,
)
from shared.audit.trail import AuditEntry, differences
from shared.contracts.support_ticket import TicketStatus, TicketUpdated
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.web.resources import check_version


class TicketService:
    """The tickets of one tenant, as far as the caller sees them; of a shopper only their own."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        tickets: TicketRepository,
        opening: TicketOpening,
        lifecycle: TicketLifecycle,
        customers: CustomerRepository,
        agents: AgentRepository,
        priorities: PriorityRepository,
    ) -> None:
        self._uow = uow
        self._tickets = tickets
        self._opening = opening
        self._lifecycle = lifecycle
        self._customers = customers
        self._agents = agents
        self._priorities = priorities

    async def open(self, wanted: TicketCreate, caller: Caller) -> Ticket:
        """Open a ticket for whoever asks.

        Raises RequesterNotYours, RequesterNotFound, RequesterErased, Invalid, ShopNotReady.
        """
        contact, customer_id, link = await self._requester(wanted.requester, caller)
        return await self._opening.open(
            Request(
                subject=wanted.subject,
                text=wanted.text,
                type=wanted.type,
                urgency=wanted.urgency,
                channel="web" if caller.owner else wanted.channel,
                contact=contact,
                customer_id=customer_id,
                customer_link=link,
                created_by=caller.staff_id,
            )
        )

    async def get(self, ticket_id: UUID, caller: Caller) -> Ticket:
        """Raises TicketNotFound."""
        return await self._tickets.get(ticket_id, owner=caller.owner)

    async def list_page(
        self, wanted: TicketFilter, request: PageRequest
    ) -> tuple[Sequence[Ticket], str | None]:
        """A page of tickets, newest first."""
        return await self._tickets.list_page(wanted, request)

    async def describe_customer(self, ticket: Ticket) -> TicketCustomerRead | None:
        """What an agent needs to know of a ticket's customer, from this service's projection.

        The ticket keeps the id of the record that it came through; this is the person's. None of
        somebody whom the caller does not see: opening a ticket is no way to look at them.
        """
        if ticket.customer_id is None or await self._customers.hides(ticket.customer_id):
            return None
        profile = await self._customers.find(ticket.customer_id)
        segments = await self._customers.list_segments(ticket.customer_id)
        return TicketCustomerRead(
            id=profile.id if profile else ticket.customer_id,
            code=profile.code if profile else None,
            name=profile.name if profile else None,
            value_tier=profile.value_tier if profile else "standard",
            segments=[TicketSegmentRead(id=s.id, key=s.key, name=s.name) for s in segments],
            open_tickets=await self._tickets.count_open(ticket.customer_id),
        )

    async def list_episodes(self, ticket_id: UUID) -> list[EpisodeRead]:
        """The rounds of a ticket. Raises TicketNotFound."""
        found = await self._tickets.get(ticket_id)
        return await self._tickets.list_episodes(found.id)

    async def update(
        self, ticket_id: UUID, wanted: TicketUpdate, *, expected_version: int | None
    ) -> Ticket:
        """Classify, assign, plan.

        Raises TicketNotFound, PreconditionFailed, UnknownAssignee, UnknownTeam.
        """
        current = await self._tickets.lock(ticket_id)
        check_version(current.version, expected_version)
        given = wanted.model_dump(exclude_unset=True)
        changes = {name: value for name, value in given.items() if getattr(current, name) != value}
        if not changes:
            return current
        if changes.get("assignee_id") is not None:
            await self._require_takes_tickets(changes["assignee_id"])
        if changes.get("team_id") is not None:
            await self._require_team(changes["team_id"])
        priority = current.priority
        if "type" in changes or "urgency" in changes:
            profile = await self._customer_of(current)
            changes["value_tier"] = profile.value_tier if profile else current.value_tier
            priority = priority_of(
                changes.get("type", current.type),
                changes.get("urgency", current.urgency),
                changes["value_tier"],
                await self._priorities.current(),
            )
        updated = await self._lifecycle.reclassify(
            current, changes, priority=priority, at=self._uow.clock.now()
        )
        self._tell(current, updated)
        return updated

    async def move(
        self, ticket_id: UUID, to: TicketStatus, *, expected_version: int | None
    ) -> Ticket:
        """Raises TicketNotFound, PreconditionFailed, TransitionNotAllowed."""
        current = await self._tickets.lock(ticket_id)
        check_version(current.version, expected_version)
        moved = await self._lifecycle.move(current, to, at=self._uow.clock.now())
        self._tell(current, moved)
        return moved

    def _tell(self, before: Ticket, after: Ticket) -> None:
        """Other services the state, the audit log the difference."""
        state = after.state()
        self._uow.append(TicketUpdated(ticket=state), key=after.id)
        changes = differences(before.state().model_dump(), state.model_dump())
        self._uow.record(AuditEntry.of("ticket", after.id, changes, customer_id=after.customer_id))

    async def _requester(
        self, requester: RequesterInput | None, caller: Caller
    ) -> tuple[Contact, UUID | None, CustomerLink | None]:
        if caller.owner is not None:
            if requester is not None:
                raise RequesterNotYours
            return Contact(), caller.owner, "given"
        if requester is None:
            fault = FieldError("/body/requester", "missing", "Say who asks")
            raise Invalid("A ticket needs a requester", errors=[fault])
        contact = Contact(**requester.contact.model_dump()) if requester.contact else Contact()
        if requester.customer_id is not None:
            if await self._customers.hides(requester.customer_id):
                raise RequesterNotFound
            if await self._customers.is_erased(requester.customer_id):
                raise RequesterErased
            return contact, requester.customer_id, "given"
        known = await self._customers.find_by_address(email=contact.email, phone=contact.phone)
        return contact, known, "matched" if known else None

    async def _customer_of(self, ticket: Ticket) -> CustomerProfile | None:
        if ticket.customer_id is None:
            return None
        return await self._customers.find(ticket.customer_id)

    async def _require_team(self, team_id: UUID) -> None:
        if not await self._agents.is_team(team_id):
            raise UnknownTeam

    async def _require_takes_tickets(self, agent_id: UUID) -> None:
        agent = await self._agents.find(agent_id)
        if agent is None or not agent.takes_tickets:
            raise UnknownAssignee
