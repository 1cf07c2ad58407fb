"""A new shop gets its row here and its first value policy."""

from collections.abc import Sequence

from services.customer.settings import CustomerSettings
from services.customer.tenants.repository import TenantRepository
from shared.contracts.gateway import TenantProvisioned
from shared.db.unit_of_work import UnitOfWork
from shared.money import currency_exponent
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply


def provision_tenants(settings: CustomerSettings) -> Apply:
    """The reaction to shops being provisioned."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        tenants = TenantRepository(uow)
        for envelope in envelopes:
            state = envelope.read(TenantProvisioned).tenant
            await tenants.put(state)
            unit = 10 ** currency_exponent(state.currency)
            silver, gold, vip = settings.value_thresholds_of(state.currency)
            await tenants.add_value_policy(
                currency=state.currency,
                silver_from=silver * unit,
                gold_from=gold * unit,
                vip_from=vip * unit,
            )

    return apply
