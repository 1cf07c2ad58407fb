"""What people write to the shop on its channels, and the tickets it belongs to."""

from collections.abc import Sequence
from uuid import UUID

from services.support_ticket.conversations.record import Author
from services.support_ticket.conversations.repository import ConversationRepository
from services.support_ticket.customers.repository import CustomerRepository
from services.support_ticket.tickets.opening import Request, TicketOpening
from services.support_ticket.tickets.record import Contact, CustomerLink, Ticket
from services.support_ticket.tickets.replies import ReplyService
from services.support_ticket.tickets.repository import TicketRepository, Writer
from shared.contracts.messaging import InboundMessageReceived
from shared.phone import normalise_phone
from shared.text import nfc, tidy

_SUBJECT_LENGTH = 300
_SUBJECT_FROM_TEXT = 80
_TEXT_LENGTH = 20_000
_NO_WORDS = "(…)"


class InboundService:
    """Takes messages of one tenant. Messages are taken one after the other.

    The consumer holds the row of its stream's cursor, so no two batches of a shop are taken at the
    same time: five messages of a new contact make one conversation, however they arrive.
    """

    def __init__(
        self,
        *,
        tickets: TicketRepository,
        opening: TicketOpening,
        replies: ReplyService,
        conversations: ConversationRepository,
        customers: CustomerRepository,
    ) -> None:
        self._tickets = tickets
        self._opening = opening
        self._replies = replies
        self._conversations = conversations
        self._customers = customers

    async def take(self, arrived: Sequence[InboundMessageReceived]) -> None:
        """Put each message where it belongs; a message that is kept already changes nothing."""
        fresh = {(message.channel, message.external_id): message for message in arrived}
        known = await self._conversations.known_external_ids(list(fresh))
        threads = await self._conversations.find_threads(
            [thread for message in fresh.values() if (thread := _thread_of(message)) is not None]
        )
        for identity, message in fresh.items():
            if identity not in known:
                ticket = await self._take_one(message, threads)
                if (thread := _thread_of(message)) is not None:
                    threads.setdefault(thread, ticket.conversation_id)

    async def _take_one(
        self, message: InboundMessageReceived, threads: dict[tuple[str, str], UUID]
    ) -> Ticket:
        contact = _contact_of(message)
        customer_id, link = await self._customer_of(message, contact)
        thread = _thread_of(message)
        conversation_id = threads.get(thread) if thread else None
        belongs_to = await self._ticket_for(message, contact, customer_id, conversation_id)
        text = nfc(message.text.replace("\x00", "")).strip()[:_TEXT_LENGTH] or _NO_WORDS
        if belongs_to is not None:
            author = Author("customer", _text(customer_id), contact.name)
            ticket, _ = await self._replies.hear(
                belongs_to,
                text,
                author,
                channel=message.channel,
                external_id=message.external_id,
                conversation_id=conversation_id,
            )
            return ticket
        return await self._opening.open(
            Request(
                subject=_subject_of(message, text),
                text=text,
                type="question",
                urgency="normal",
                channel=message.channel,
                contact=contact,
                customer_id=customer_id,
                customer_link=link,
                external_id=message.external_id,
                thread_key=message.conversation_ref,
                conversation_id=conversation_id,
            )
        )

    async def _ticket_for(
        self,
        message: InboundMessageReceived,
        contact: Contact,
        customer_id: UUID | None,
        conversation_id: UUID | None,
    ) -> Ticket | None:
        """The ticket of the thread, or else the writer's ticket on this channel."""
        ended_since = self._replies.ended_since()
        if conversation_id is not None:
            return await self._tickets.lock_continuable_in(conversation_id, ended_since=ended_since)
        if message.conversation_ref is not None:
            return None  # A thread of its own that nobody has seen is about something else.
        return await self._tickets.lock_continuable_of(
            Writer(
                channel=message.channel,
                customer_id=customer_id,
                email=contact.email,
                phone=contact.phone,
                ended_since=ended_since,
            )
        )

    async def _customer_of(
        self, message: InboundMessageReceived, contact: Contact
    ) -> tuple[UUID | None, CustomerLink | None]:
        if message.customer_id is not None:
            return message.customer_id, "given"
        found = await self._customers.find_by_address(email=contact.email, phone=contact.phone)
        return (found, "matched") if found else (None, None)


def _thread_of(message: InboundMessageReceived) -> tuple[str, str] | None:
    if message.conversation_ref is None:
        return None
    return message.channel, message.conversation_ref


def _contact_of(message: InboundMessageReceived) -> Contact:
    phone = normalise_phone(message.sender_phone).e164 if message.sender_phone else None
    email = tidy(message.sender_email, max_length=254)
    return Contact(
        name=tidy(message.sender_name, max_length=200),
        email=email.lower() if email else None,
        phone=phone,
    )


def _subject_of(message: InboundMessageReceived, text: str) -> str:
    """What it is about; channels without subjects are told by their first words."""
    subject = tidy(message.subject, max_length=_SUBJECT_LENGTH)
    return subject or tidy(text, max_length=_SUBJECT_FROM_TEXT) or _NO_WORDS


def _text(customer_id: UUID | None) -> str | None:
    return None if customer_id is None else str(customer_id)
