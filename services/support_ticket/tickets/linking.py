"""Linking tickets of strangers to customers, once they are known."""

from collections.abc import Sequence

from services.support_ticket.customers.repository import CustomerRepository
from services.support_ticket.tickets.record import Ticket
from services.support_ticket.tickets.repository import TicketRepository
from shared.contracts.customer import CustomerState
from shared.contracts.support_ticket import TicketUpdated
from shared.db.unit_of_work import UnitOfWork


class TicketLinking:
    """Keeps the projection of customers and what follows from it for tickets."""

    def __init__(
        self, *, uow: UnitOfWork, tickets: TicketRepository, customers: CustomerRepository
    ) -> None:
        self._uow = uow
        self._tickets = tickets
        self._customers = customers

    async def learn(self, states: Sequence[CustomerState]) -> None:
        """Take over newer states; tickets that came from one of their addresses become theirs."""
        changed = await self._customers.keep(states)
        emails = [state.email for state in changed if state.email is not None]
        phones = [state.phone for state in changed if state.phone is not None]
        if not emails and not phones:
            return
        await self._customers.wait_for_strangers()
        for ticket in await self._tickets.lock_unlinked(emails=emails, phones=phones):
            await self._link(ticket)

    async def _link(self, ticket: Ticket) -> None:
        found = await self._customers.find_by_address(
            email=ticket.contact_email, phone=ticket.contact_phone
        )
        if found is None:
            return
        linked = await self._tickets.update(
            ticket, {"customer_id": found, "customer_link": "matched"}
        )
        self._uow.append(TicketUpdated(ticket=linked.state()), key=linked.id)
