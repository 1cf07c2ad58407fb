"""A new shop gets everything it needs to start sending: policy, templates, an automation."""

from collections.abc import Sequence

from services.messaging.automations.defaults import default_automations
from services.messaging.automations.repository import AutomationRepository
from services.messaging.policies.repository import PolicyRepository
from services.messaging.shops.repository import ShopRepository
from services.messaging.templates.defaults import default_templates
from services.messaging.templates.repository import TemplateRepository
from shared.contracts.gateway import TenantProvisioned
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def provision_shops(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Take over the shop's own state, and add those defaults that it does not have."""
    newest = max((e.read(TenantProvisioned).tenant for e in events), key=lambda t: t.version)
    await ShopRepository(uow).put(newest)
    now = uow.clock.now()
    await PolicyRepository(uow).provision()
    await TemplateRepository(uow).add_missing(default_templates(now))
    await AutomationRepository(uow).add(default_automations(now))
