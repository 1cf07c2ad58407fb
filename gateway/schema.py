"""The whole schema of the gateway: importing this fills `metadata` with every table."""

from gateway.api_keys import models as api_keys
from gateway.audit_log import models as audit_log
from gateway.connections import models as connections
from gateway.deliveries import models as deliveries
from gateway.directory import models as directory
from gateway.events import models as events
from gateway.models import metadata
from gateway.password_resets import models as password_resets
from gateway.roles import models as roles
from gateway.second_factor import models as second_factor
from gateway.sessions import models as sessions
from gateway.staff import models as staff
from gateway.staff_policy import models as staff_policy
from gateway.teams import models as teams
from gateway.webhooks import models as webhooks

__all__ = [
    "api_keys",
    "audit_log",
    "connections",
    "deliveries",
    "directory",
    "events",
    "metadata",
    "password_resets",
    "roles",
    "second_factor",
    "sessions",
    "staff",
    "staff_policy",
    "teams",
    "webhooks",
]
