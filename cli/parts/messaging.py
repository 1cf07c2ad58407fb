"""The messaging service, for the composition."""

from cli.parts.service import Service
from services.messaging.app import create_app
from services.messaging.handlers import build_handlers
from services.messaging.settings import MessagingSettings
from services.messaging.worker import build_worker

SERVICE = Service(MessagingSettings, create_app, build_worker, build_handlers)
