"""Opening tickets: ranked, promised, assigned."""

from dataclasses import dataclass
from uuid import UUID

from services.support_ticket.conversations.record import Message
from services.support_ticket.sla.clocks import Metric
from services.support_ticket.tickets.errors import ShopNotReady
from services.support_ticket.tickets.opening_repository import (
    Circumstances,
    Opened,
    OpeningRepository,
)
from services.support_ticket.tickets.priority import Urgency, priority_of
from services.support_ticket.tickets.record import Contact, CustomerLink, Ticket, ticket_code
from shared.audit.trail import AuditEntry
from shared.contracts.support_ticket import TicketCreated, TicketType
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

# The only channel that answers leave by today; a channel of its own will answer by itself.
REPLY_CHANNEL = "email"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """What somebody asks of the shop. `conversation_id` when it continues a known conversation."""

    subject: str
    text: str
    type: TicketType
    urgency: Urgency
    channel: str
    contact: Contact
    customer_id: UUID | None
    customer_link: CustomerLink | None
    external_id: str | None = None
    thread_key: str | None = None
    conversation_id: UUID | None = None
    created_by: UUID | None = None


class TicketOpening:
    """Opens tickets of one tenant."""

    def __init__(
        self, *, uow: UnitOfWork, openings: OpeningRepository, codes: CodeAllocator
    ) -> None:
        self._uow = uow
        self._openings = openings
        self._codes = codes

    async def open(self, request: Request) -> Ticket:
        """Open a ticket and tell of it. Raises ShopNotReady before the shop is provisioned.

        Agents of the queue are taken in turn. The turn is a number from a counter that is reserved
        in blocks outside of this transaction, like the ticket's own number: no row is locked until
        commit, so tickets of one shop open side by side. The price: of two processes each goes
        round by itself, and a restart skips the rest of a block. Shares stay even in the long run,
        which is what round robin is for.
        """
        tenant = self._uow.tenant_id
        number = (await self._codes.take(tenant, "ticket")).start
        turn = (await self._codes.take(tenant, "assignment")).start
        circumstances = await self._openings.read_circumstances(request.customer_id)
        if circumstances is None:
            raise ShopNotReady
        opened = self._opened(request, circumstances, code=ticket_code(number), turn=turn)
        self._uow.append(TicketCreated(ticket=opened.ticket.state()), key=opened.ticket.id)
        told = AuditEntry.of("ticket", opened.ticket.id, customer_id=opened.ticket.customer_id)
        self._uow.record(told)
        await self._openings.add(opened)
        return opened.ticket

    def _opened(
        self, request: Request, circumstances: Circumstances, *, code: str, turn: int
    ) -> Opened:
        now, customer, members = (
            self._uow.clock.now(),
            circumstances.customer,
            circumstances.members,
        )
        # A customer whose own service has not told of them yet is ranked as anybody.
        tier = customer.value_tier if customer else "standard"
        priority = priority_of(request.type, request.urgency, tier, circumstances.priorities)
        clocks = circumstances.terms.start(priority, now)
        new = Ticket(
            id=new_id(),
            version=1,
            code=code,
            conversation_id=request.conversation_id or new_id(),
            customer_id=request.customer_id,
            customer_link=request.customer_link,
            contact_name=request.contact.name,
            contact_email=request.contact.email,
            contact_phone=request.contact.phone,
            subject=request.subject,
            type=request.type,
            urgency=request.urgency,
            value_tier=tier,
            priority=priority,
            status="new",
            channel=request.channel,
            reply_channel=REPLY_CHANNEL,
            queue_id=circumstances.queue_id,
            assignee_id=members[turn % len(members)] if members else None,
            team_id=circumstances.team_id,
            created_by=request.created_by,
            episode=1,
            first_response_due_at=clocks.due_at(Metric.FIRST_RESPONSE),
            resolution_due_at=clocks.due_at(Metric.RESOLUTION),
            last_message_at=now,
            created_at=now,
            updated_at=now,
        )
        return Opened(
            ticket=new,
            message=_first_message(new, request, customer.name if customer else None),
            clocks=clocks,
            terms=circumstances.terms,
            thread_key=request.thread_key,
            in_known_conversation=request.conversation_id is not None,
        )


def _first_message(new: Ticket, request: Request, customer_name: str | None) -> Message:
    """Whoever types it in, the first words are the customer's."""
    author_id = None if new.customer_id is None else str(new.customer_id)
    return Message(
        id=new_id(),
        conversation_id=new.conversation_id,
        ticket_id=new.id,
        episode=new.episode,
        kind="customer",
        author_kind="customer",
        author_id=author_id,
        author_name=new.contact_name or customer_name,
        channel=request.channel,
        external_id=request.external_id,
        body=request.text,
        created_at=new.created_at,
    )
