"""What is said on a ticket: by the customer, to the customer, and inside the shop."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.conversations.record import Author, Message, MessageKind
from services.support_ticket.conversations.repository import ConversationRepository
from services.support_ticket.customers.repository import CustomerRepository
from services.support_ticket.tickets.callers import Caller
from services.support_ticket.tickets.errors import StatusNotYours, TicketHasEnded
from services.support_ticket.tickets.lifecycle import TicketLifecycle
from services.support_ticket.tickets.recipients import recipient_of
from services.support_ticket.tickets.record import Ticket
from services.support_ticket.tickets.repository import TicketRepository
from services.support_ticket.tickets.states import ENDED, AnsweredStatus
from shared.contracts.support_ticket import TicketReplied, TicketUpdated
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id


class ReplyService:
    """The messages on one tenant's tickets."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        tickets: TicketRepository,
        lifecycle: TicketLifecycle,
        conversations: ConversationRepository,
        customers: CustomerRepository,
        agents: AgentRepository,
        reopen_within: timedelta,
    ) -> None:
        self._uow = uow
        self._tickets = tickets
        self._lifecycle = lifecycle
        self._conversations = conversations
        self._customers = customers
        self._agents = agents
        self._reopen_within = reopen_within

    async def list_page(
        self, ticket_id: UUID, caller: Caller, request: PageRequest
    ) -> tuple[Sequence[Message], str | None]:
        """What was said, oldest first; a shopper never sees a note. Raises TicketNotFound."""
        found = await self._tickets.get(ticket_id, owner=caller.owner)
        return await self._conversations.list_page(found.id, request, notes=caller.owner is None)

    async def reply(
        self, ticket_id: UUID, text: str, caller: Caller, *, status: AnsweredStatus | None
    ) -> tuple[Ticket, Message]:
        """Answer in public; from a shopper, write to the shop.

        Raises TicketNotFound, TicketHasEnded, TransitionNotAllowed, StatusNotYours.
        """
        current = await self._tickets.lock(ticket_id, owner=caller.owner)
        if caller.owner is not None:
            if status is not None:
                raise StatusNotYours
            return await self._hear_shopper(current, text, caller)
        if current.status == "closed":
            raise TicketHasEnded("Reopen the ticket to answer on it")
        now = self._uow.clock.now()
        wanted = status or ("open" if current.status == "new" else current.status)
        answered = await self._lifecycle.answer(current, wanted, at=now)
        author = await self._author(caller)
        said = await self._say(answered, "reply", text, author, channel=answered.reply_channel)
        await self._tell_of_reply(answered, said)
        if _tells_more(current, answered):
            self._uow.append(TicketUpdated(ticket=answered.state()), key=answered.id)
        return answered, said

    async def note(self, ticket_id: UUID, text: str, caller: Caller) -> Message:
        """Remark something inside the shop. Raises TicketNotFound.

        The ticket stays as it is and nobody is told: not even a version betrays a note.
        """
        found = await self._tickets.get(ticket_id)
        author = await self._author(caller)
        return await self._say(found, "note", text, author, channel=found.channel)

    async def hear(
        self,
        current: Ticket,
        text: str,
        author: Author,
        *,
        channel: str,
        external_id: str | None = None,
        conversation_id: UUID | None = None,
    ) -> tuple[Ticket, Message]:
        """Take the customer's words on a locked ticket, which goes on or begins again."""
        heard = await self._lifecycle.hear(current, at=self._uow.clock.now())
        said = await self._say(
            heard,
            "customer",
            text,
            author,
            channel=channel,
            external_id=external_id,
            conversation_id=conversation_id,
        )
        if _tells_more(current, heard):
            self._uow.append(TicketUpdated(ticket=heard.state()), key=heard.id)
        return heard, said

    def ended_since(self) -> datetime:
        """Tickets that ended before this instant do not go on any more."""
        return self._uow.clock.now() - self._reopen_within

    async def _hear_shopper(
        self, current: Ticket, text: str, caller: Caller
    ) -> tuple[Ticket, Message]:
        ended_at = current.closed_at or current.resolved_at
        if current.status in ENDED and ended_at is not None and ended_at < self.ended_since():
            raise TicketHasEnded("It ended too long ago; open a new ticket")
        profile = await self._customers.find(current.customer_id) if current.customer_id else None
        author = caller.as_author(profile.name if profile else None)
        return await self.hear(current, text, author, channel="web")

    async def _author(self, caller: Caller) -> Author:
        agent = await self._agents.find(caller.staff_id) if caller.staff_id else None
        return caller.as_author(agent.name if agent else None)

    async def _say(
        self,
        ticket: Ticket,
        kind: MessageKind,
        text: str,
        author: Author,
        *,
        channel: str,
        external_id: str | None = None,
        conversation_id: UUID | None = None,
    ) -> Message:
        said = Message(
            id=new_id(),
            conversation_id=conversation_id or ticket.conversation_id,
            ticket_id=ticket.id,
            episode=ticket.episode,
            kind=kind,
            author_kind=author.kind,
            author_id=author.id,
            author_name=author.name,
            channel=channel,
            external_id=external_id,
            body=text,
            created_at=self._uow.clock.now(),
        )
        await self._conversations.add(said)
        return said

    async def _tell_of_reply(self, ticket: Ticket, said: Message) -> None:
        profile = await self._customers.find(ticket.customer_id) if ticket.customer_id else None
        event = TicketReplied(
            ticket=ticket.state(),
            message_id=said.id,
            agent_name=said.author_name,
            body=said.body,
            recipient=recipient_of(ticket, profile),
            channel=ticket.reply_channel,
        )
        self._uow.append(event, key=ticket.id)


def _tells_more(before: Ticket, after: Ticket) -> bool:
    """Whether anything changed that others know of, apart from the version."""
    return before.state().model_copy(update={"version": after.version}) != after.state()
