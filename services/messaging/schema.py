"""Every table of the messaging schema, for whoever needs all of them (migrations)."""

from services.messaging.automations import models as automations
from services.messaging.channels import models as channels
from services.messaging.inbound import models as inbound
from services.messaging.messages import models as messages
from services.messaging.models import metadata
from services.messaging.policies import models as policies
from services.messaging.preferences import models as preferences
from services.messaging.recipients import models as recipients
from services.messaging.templates import models as templates

__all__ = [
    "automations",
    "channels",
    "inbound",
    "messages",
    "metadata",
    "policies",
    "preferences",
    "recipients",
    "templates",
]
