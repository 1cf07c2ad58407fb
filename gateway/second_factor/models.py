"""Tables of the second-factor slice."""

from sqlalchemy import BigInteger, Column, Index, LargeBinary, Table, Text, Uuid

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

second_factor = Table(
    "second_factor",
    metadata,
    tenant_column(),
    Column("staff_id", Uuid, primary_key=True),
    Column("sealed_secret", Text, nullable=False),
    # The time step of the last code that was taken: no code is taken twice (RFC 6238, 5.2).
    Column("last_step", BigInteger),
    instant("created_at"),
    instant("confirmed_at", nullable=True),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("staff_id", Uuid, nullable=False),
    Column("digest", LargeBinary, nullable=False),
    instant("created_at"),
    instant("used_at", nullable=True),
)
Index("ix_recovery_code_staff", recovery_code.c.tenant_id, recovery_code.c.staff_id)

impersonal(second_factor, "staff")
impersonal(recovery_code, "staff")
