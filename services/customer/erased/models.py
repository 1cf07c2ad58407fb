"""What erased people were known by."""

from sqlalchemy import Column, Index, LargeBinary, Table, Uuid

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

# What an erased person was known by, as keyed digests: what was on its way finds nobody.
erased_identity = Table(
    "erased_identity",
    metadata,
    tenant_column(),
    Column("digest", LargeBinary, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    instant("erased_at"),
)
Index("ix_erased_identity_customer", erased_identity.c.tenant_id, erased_identity.c.customer_id)

personal(
    erased_identity,
    erase={},
    kept={"digest": "so that what comes late is not kept"},
    hidden=("digest",),
)
