"""The whole schema of the gateway: importing this fills `metadata` with every table."""

from gateway.api_keys import models as api_keys
from gateway.connections import models as connections
from gateway.deliveries import models as deliveries
from gateway.directory import models as directory
from gateway.models import metadata
from gateway.sessions import models as sessions
from gateway.staff import models as staff

__all__ = [
    "api_keys",
    "connections",
    "deliveries",
    "directory",
    "metadata",
    "sessions",
    "staff",
]
