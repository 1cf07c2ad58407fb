"""How the services of this part are put together for one unit of work."""

from datetime import timedelta

from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.conversations.repository import ConversationRepository
from services.support_ticket.customers.repository import CustomerRepository
from services.support_ticket.inbound.service import InboundService
from services.support_ticket.settings import SupportTicketSettings
from services.support_ticket.sla.clock_repository import ClockRepository
from services.support_ticket.surveys.invitations import SURVEY_LINKS
from services.support_ticket.tickets.lifecycle import TicketLifecycle
from services.support_ticket.tickets.linking import TicketLinking
from services.support_ticket.tickets.opening import TicketOpening
from services.support_ticket.tickets.opening_repository import OpeningRepository
from services.support_ticket.tickets.replies import ReplyService
from services.support_ticket.tickets.repository import TicketRepository
from shared.db.unit_of_work import UnitOfWork
from shared.part.context import PartContext
from shared.security.link_tokens import LinkTokens
from shared.security.sight import Sight

Context = PartContext[SupportTicketSettings]


def lifecycle(uow: UnitOfWork) -> TicketLifecycle:
    """Moves tickets through their states."""
    return TicketLifecycle(
        tickets=TicketRepository(uow), clocks=ClockRepository(uow), agents=AgentRepository(uow)
    )


def opening(uow: UnitOfWork, context: Context) -> TicketOpening:
    """Opens tickets."""
    return TicketOpening(uow=uow, openings=OpeningRepository(uow), codes=context.codes)


def replies(uow: UnitOfWork, context: Context, *, sight: Sight | None = None) -> ReplyService:
    """Takes and gives words, on tickets that are seen."""
    return ReplyService(
        uow=uow,
        tickets=TicketRepository(uow, sight=sight),
        lifecycle=lifecycle(uow),
        conversations=ConversationRepository(uow),
        customers=CustomerRepository(uow),
        agents=AgentRepository(uow),
        reopen_within=timedelta(days=context.settings.reopen_days),
    )


def inbound(uow: UnitOfWork, context: Context) -> InboundService:
    """Takes what people write on channels."""
    return InboundService(
        tickets=TicketRepository(uow),
        opening=opening(uow, context),
        replies=replies(uow, context),
        conversations=ConversationRepository(uow),
        customers=CustomerRepository(uow),
    )


def linking(uow: UnitOfWork) -> TicketLinking:
    """Learns who customers are."""
    return TicketLinking(uow=uow, tickets=TicketRepository(uow), customers=CustomerRepository(uow))


def survey_links(context: Context) -> LinkTokens:
    """The tokens in the links of surveys."""
    return LinkTokens(root_key=context.settings.root_key, purpose=SURVEY_LINKS)
