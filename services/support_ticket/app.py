"""The support-ticket service's HTTP application."""

from fastapi import FastAPI

from services.support_ticket.calendars.endpoints import router as calendars
from services.support_ticket.queues.endpoints import router as queues
from services.support_ticket.reports.endpoints import router as reports
from services.support_ticket.resolutions.endpoints import reports as ticket_reports
from services.support_ticket.resolutions.endpoints import router as resolutions
from services.support_ticket.settings import SupportTicketSettings
from services.support_ticket.sla.endpoints import router as sla_policies
from services.support_ticket.surveys.endpoints import page_router as survey_pages
from services.support_ticket.surveys.endpoints import router as surveys
from services.support_ticket.tickets.endpoints import router as tickets
from services.support_ticket.tickets.priority_rules import router as priority_rules
from shared.clock import Clock
from shared.part.app import create_part_app
from shared.part.context import build_context

ROUTERS = (
    tickets,
    resolutions,
    ticket_reports,
    queues,
    priority_rules,
    sla_policies,
    calendars,
    surveys,
    survey_pages,
    reports,
)


def create_app(settings: SupportTicketSettings, *, clock: Clock | None = None) -> FastAPI:
    """The application of one process."""
    return create_part_app(
        build_context(settings, clock),
        title="Careloop support-ticket service",
        description="What customers ask: tickets, conversations, service levels, surveys.",
        routers=ROUTERS,
    )
