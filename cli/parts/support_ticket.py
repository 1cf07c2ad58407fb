"""The support-ticket service, for the composition."""

from cli.parts.service import Service
from services.support_ticket.app import create_app
from services.support_ticket.handlers import build_handlers
from services.support_ticket.settings import SupportTicketSettings
from services.support_ticket.worker import build_worker

SERVICE = Service(SupportTicketSettings, create_app, build_worker, build_handlers)
