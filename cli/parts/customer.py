"""The customer service, for the composition."""

from cli.parts.service import Service
from services.customer.app import create_app
from services.customer.handlers import build_handlers
from services.customer.settings import CustomerSettings
from services.customer.worker import build_worker

SERVICE = Service(CustomerSettings, create_app, build_worker, build_handlers)
