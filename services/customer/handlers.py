"""Which function of the customer service reacts to which event."""

from services.customer.settings import CustomerSettings
from services.customer.tenants.handlers import provision_tenants
from shared.contracts.gateway import TenantProvisioned
from shared.part.context import PartContext
from shared.stream.handlers import EventHandlers


def build_handlers(context: PartContext[CustomerSettings]) -> EventHandlers:
    """The reactions of this service to the events it subscribed to."""
    return EventHandlers().on(TenantProvisioned, apply=provision_tenants(context.settings))
