"""The whole schema of this service: importing this fills `metadata` with every table."""

from services.support_ticket.agents import models as agents
from services.support_ticket.calendars import models as calendars
from services.support_ticket.conversations import models as conversations
from services.support_ticket.customers import models as customers
from services.support_ticket.models import metadata
from services.support_ticket.queues import models as queues
from services.support_ticket.resolutions import models as resolutions
from services.support_ticket.sla import models as sla
from services.support_ticket.surveys import models as surveys
from services.support_ticket.tickets import models as tickets

__all__ = [
    "agents",
    "calendars",
    "conversations",
    "customers",
    "metadata",
    "queues",
    "resolutions",
    "sla",
    "surveys",
    "tickets",
]
