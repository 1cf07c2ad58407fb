"""Inviting customers to say how it went."""

from services.support_ticket.customers.repository import CustomerRepository
from services.support_ticket.surveys.repository import SurveyRepository
from services.support_ticket.tickets.recipients import recipient_of
from services.support_ticket.tickets.record import Ticket
from shared.contracts.support_ticket import SurveyInvited
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.languages import language_of
from shared.security.link_tokens import LinkTarget, LinkTokens

SURVEY_LINKS = "survey"


class SurveyInvitations:
    """Invites the requesters of one tenant's tickets."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        surveys: SurveyRepository,
        customers: CustomerRepository,
        links: LinkTokens,
        public_url: str,
    ) -> None:
        self._uow = uow
        self._surveys = surveys
        self._customers = customers
        self._links = links
        self._public_url = public_url.rstrip("/")

    async def invite(self, ticket: Ticket) -> None:
        """Ask how the ticket's current episode went, once, if there is anybody to ask.

        Whether the invitation is sent then is decided where messages are sent, by its caps.
        """
        profile = await self._customers.find(ticket.customer_id) if ticket.customer_id else None
        recipient = recipient_of(ticket, profile)
        if recipient.customer_id is None and recipient.email is None and recipient.phone is None:
            return
        shop = await self._surveys.shop()
        survey_id = await self._surveys.add(
            {
                "id": new_id(),
                "kind": "csat",
                "ticket_id": ticket.id,
                "episode": ticket.episode,
                "customer_id": ticket.customer_id,
                "locale": language_of(recipient.locale) or shop.locale,
                "invited_at": self._uow.clock.now(),
            }
        )
        if survey_id is None:
            return
        token = self._links.mint(LinkTarget(self._uow.tenant_id, survey_id))
        event = SurveyInvited(
            survey_id=survey_id,
            ticket=ticket.state(),
            url=f"{self._public_url}/pages/surveys/{token}",
            recipient=recipient,
        )
        self._uow.append(event, key=ticket.id)
