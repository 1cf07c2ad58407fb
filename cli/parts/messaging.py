"""The messaging service, for the composition."""

from fastapi import FastAPI

from cli.parts.service import Service
from services.messaging.handlers import build_handlers
from services.messaging.settings import MessagingSettings
from services.messaging.worker import build_worker


def create_app(settings: MessagingSettings) -> FastAPI:
    """The API. A worker does without its routes: it starts sooner and is smaller for it."""
    from services.messaging.app import create_app  # noqa: PLC0415

    return create_app(settings)


SERVICE = Service(MessagingSettings, create_app, build_worker, build_handlers)
