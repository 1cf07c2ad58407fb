"""The support-ticket service, for the composition."""

from fastapi import FastAPI

from cli.parts.service import Service
from services.support_ticket.handlers import build_handlers
from services.support_ticket.settings import SupportTicketSettings
from services.support_ticket.worker import build_worker


def create_app(settings: SupportTicketSettings) -> FastAPI:
    """The API. A worker does without its routes: it starts sooner and is smaller for it."""
    from services.support_ticket.app import create_app  # noqa: PLC0415

    return create_app(settings)


SERVICE = Service(SupportTicketSettings, create_app, build_worker, build_handlers)
