"""The messaging service as an ASGI application."""

from fastapi import FastAPI

from services.messaging.automations.endpoints import router as automations
from services.messaging.inbound.endpoints import router as inbound
from services.messaging.messages.endpoints import router as messages
from services.messaging.policies.endpoints import router as policies
from services.messaging.preferences.endpoints import router as suppressions
from services.messaging.preferences.pages import router as pages
from services.messaging.recipients.endpoints import router as preferences
from services.messaging.reports.endpoints import router as reports
from services.messaging.settings import MessagingSettings
from services.messaging.templates.endpoints import router as templates
from services.messaging.wiring import Wiring
from shared.clock import Clock
from shared.part.app import create_part_app
from shared.part.context import build_context


def create_app(settings: MessagingSettings, *, clock: Clock | None = None) -> FastAPI:
    """The application; it connects when it is first asked."""
    context = build_context(settings, clock)
    app = create_part_app(
        context,
        title="Careloop messaging",
        description="What a shop tells its customers, and what they write to it.",
        routers=[
            templates,
            messages,
            automations,
            policies,
            suppressions,
            preferences,
            inbound,
            reports,
            pages,
        ],
    )
    app.state.wiring = Wiring.of(context)
    return app
