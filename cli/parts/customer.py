"""The customer service, for the composition."""

from fastapi import FastAPI

from cli.parts.service import Service
from services.customer.handlers import build_handlers
from services.customer.settings import CustomerSettings
from services.customer.worker import build_worker


def create_app(settings: CustomerSettings) -> FastAPI:
    """The API. A worker does without its routes: it starts sooner and is smaller for it."""
    from services.customer.app import create_app  # noqa: PLC0415

    return create_app(settings)


SERVICE = Service(CustomerSettings, create_app, build_worker, build_handlers)
