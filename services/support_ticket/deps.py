"""What endpoints of the support-ticket service ask for: the only place that looks for it."""

from typing import Annotated, cast

from fastapi import Depends, Request

from services.support_ticket.agents.repository import AgentRepository
from services.support_ticket.calendars.repository import CalendarRepository
from services.support_ticket.calendars.service import CalendarService
from services.support_ticket.customers.repository import CustomerRepository
from services.support_ticket.queues.repository import QueueRepository
from services.support_ticket.queues.service import QueueService
from services.support_ticket.reports.repository import CareLoopCounts
from services.support_ticket.resolutions.repository import ResolutionRepository
from services.support_ticket.resolutions.service import ResolutionService
from services.support_ticket.sla.clock_repository import ClockRepository
from services.support_ticket.sla.repository import SlaPolicyRepository
from services.support_ticket.sla.service import SlaPolicyService
from services.support_ticket.surveys.answering import SurveyAnswering
from services.support_ticket.surveys.invitations import SurveyInvitations
from services.support_ticket.surveys.repository import SurveyRepository
from services.support_ticket.tickets.callers import Caller
from services.support_ticket.tickets.filters import of_shopper, ticket_filter
from services.support_ticket.tickets.priorities import PriorityRepository
from services.support_ticket.tickets.replies import ReplyService
from services.support_ticket.tickets.repository import TicketFilter, TicketRepository
from services.support_ticket.tickets.service import TicketService
from services.support_ticket.tickets.sla_service import TicketSlaService
from services.support_ticket.wiring import Context, lifecycle, opening, replies, survey_links
from shared.security.sight import Sight
from shared.web.context import context_of
from shared.web.routing import PrincipalDep, UnitOfWorkDep


async def current_context(request: Request) -> Context:
    """The context of this process."""
    return cast("Context", context_of(request))


ContextDep = Annotated[Context, Depends(current_context)]


async def current_caller(principal: PrincipalDep) -> Caller:
    """Who asks."""
    return Caller.of(principal)


CallerDep = Annotated[Caller, Depends(current_caller)]


async def current_sight(principal: PrincipalDep) -> Sight | None:
    """Whose tickets the caller sees; None for everybody's."""
    return Sight.of(principal)


SightDep = Annotated[Sight | None, Depends(current_sight)]


async def visible_tickets(
    caller: CallerDep, wanted: Annotated[TicketFilter, Depends(ticket_filter)]
) -> TicketFilter:
    """What was asked for, narrowed to what the caller may see."""
    return wanted if caller.owner is None else of_shopper(wanted, caller.owner)


async def ticket_service(uow: UnitOfWorkDep, context: ContextDep, sight: SightDep) -> TicketService:
    """The ticket desk of the caller's shop."""
    return TicketService(
        uow=uow,
        tickets=TicketRepository(uow, sight=sight),
        opening=opening(uow, context),
        lifecycle=lifecycle(uow),
        customers=CustomerRepository(uow, sight=sight),
        agents=AgentRepository(uow),
        priorities=PriorityRepository(uow),
    )


async def reply_service(uow: UnitOfWorkDep, context: ContextDep, sight: SightDep) -> ReplyService:
    """What is said on tickets."""
    return replies(uow, context, sight=sight)


async def ticket_sla_service(uow: UnitOfWorkDep, sight: SightDep) -> TicketSlaService:
    """The clocks of tickets."""
    tickets = TicketRepository(uow, sight=sight)
    return TicketSlaService(uow=uow, tickets=tickets, clocks=ClockRepository(uow))


async def resolution_service(
    uow: UnitOfWorkDep, context: ContextDep, sight: SightDep
) -> ResolutionService:
    """How tickets end."""
    return ResolutionService(
        uow=uow,
        tickets=TicketRepository(uow, sight=sight),
        lifecycle=lifecycle(uow),
        resolutions=ResolutionRepository(uow, sight=sight),
        invitations=SurveyInvitations(
            uow=uow,
            surveys=SurveyRepository(uow),
            customers=CustomerRepository(uow),
            links=survey_links(context),
            public_url=context.settings.public_url,
        ),
    )


async def survey_answering(uow: UnitOfWorkDep, context: ContextDep) -> SurveyAnswering:
    """What the holder of a link can do."""
    return SurveyAnswering(
        uow=uow,
        surveys=SurveyRepository(uow),
        tickets=TicketRepository(uow),
        links=survey_links(context),
    )


async def survey_repository(uow: UnitOfWorkDep, sight: SightDep) -> SurveyRepository:
    """Who was asked, and what they said."""
    return SurveyRepository(uow, sight=sight)


async def calendar_service(uow: UnitOfWorkDep) -> CalendarService:
    """When the shop is open."""
    return CalendarService(calendars=CalendarRepository(uow))


async def sla_policy_service(uow: UnitOfWorkDep) -> SlaPolicyService:
    """What the shop promises."""
    return SlaPolicyService(policies=SlaPolicyRepository(uow), calendars=CalendarRepository(uow))


async def queue_service(uow: UnitOfWorkDep) -> QueueService:
    """Where tickets wait."""
    return QueueService(queues=QueueRepository(uow), agents=AgentRepository(uow))


async def priority_repository(uow: UnitOfWorkDep) -> PriorityRepository:
    """How the shop ranks tickets."""
    return PriorityRepository(uow)


async def care_loop_counts(uow: UnitOfWorkDep) -> CareLoopCounts:
    """Figures for the gateway's report."""
    return CareLoopCounts(uow)


TicketFilterDep = Annotated[TicketFilter, Depends(visible_tickets)]
TicketServiceDep = Annotated[TicketService, Depends(ticket_service)]
ReplyServiceDep = Annotated[ReplyService, Depends(reply_service)]
TicketSlaServiceDep = Annotated[TicketSlaService, Depends(ticket_sla_service)]
ResolutionServiceDep = Annotated[ResolutionService, Depends(resolution_service)]
SurveyAnsweringDep = Annotated[SurveyAnswering, Depends(survey_answering)]
SurveyRepositoryDep = Annotated[SurveyRepository, Depends(survey_repository)]
CalendarServiceDep = Annotated[CalendarService, Depends(calendar_service)]
SlaPolicyServiceDep = Annotated[SlaPolicyService, Depends(sla_policy_service)]
QueueServiceDep = Annotated[QueueService, Depends(queue_service)]
PriorityRepositoryDep = Annotated[PriorityRepository, Depends(priority_repository)]
CareLoopCountsDep = Annotated[CareLoopCounts, Depends(care_loop_counts)]
