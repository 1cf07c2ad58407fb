"""Fields that a shop defines, and what customers have in them as rows that indexes serve.

The values themselves stand in the customer's `attributes`; a row here is what one of them is found
and sorted by. Under row-level security no index serves conditions on JSON (`docs/adr/0006`).
"""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    ForeignKeyConstraint,
    Index,
    SmallInteger,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, personal

custom_field = Table(
    "custom_field",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("key", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("label", JSONB, nullable=False),
    Column("description", Text),
    Column("options", JSONB, nullable=False),
    Column("currency", Text),
    Column("required", Boolean, nullable=False),
    Column("is_unique", Boolean, nullable=False),
    # Fields that were defined before there was this show what they showed.
    Column("sensitivity", Text, nullable=False, server_default=text("'none'")),
    instant("archived_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint(
        "type IN ('text', 'number', 'money', 'date', 'boolean', 'enum', 'multi_enum', 'url')",
        name="type",
    ),
    CheckConstraint("(type = 'money') = (currency IS NOT NULL)", name="currency_of_money"),
    CheckConstraint("sensitivity IN ('none', 'personal', 'sensitive')", name="sensitivity"),
)
Index("uq_custom_field_key", custom_field.c.tenant_id, custom_field.c.key, unique=True)

# What a shop has decided about attributes that it has not defined.
custom_field_policy = Table(
    "custom_field_policy",
    metadata,
    tenant_column(),
    Column("strict", Boolean, nullable=False),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
)

# One row per value, several for a field of several options. `created_at` is the customer's: each
# value's customers stand in the order of a list.
custom_value = Table(
    "custom_value",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    Column("field_id", Uuid, primary_key=True),
    Column("position", SmallInteger, primary_key=True),
    Column("text_value", Text(collation="C")),
    # Numbers in millionths, money in minor units.
    Column("number_value", BigInteger),
    Column("date_value", Date),
    # Why what is there cannot be a value of the field; then it has none of the above.
    Column("fault", Text),
    instant("created_at"),
    CheckConstraint(
        "num_nonnulls(text_value, number_value, date_value, fault) = 1", name="one_value"
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
    ForeignKeyConstraint(
        ["tenant_id", "field_id"], ["customer.custom_field.tenant_id", "customer.custom_field.id"]
    ),
)
for _name in ("text", "number", "date"):
    _value = custom_value.c[f"{_name}_value"]
    Index(
        f"ix_custom_value_{_name}",
        custom_value.c.tenant_id,
        custom_value.c.field_id,
        _value,
        custom_value.c.created_at,
        custom_value.c.customer_id,
        postgresql_where=_value.is_not(None),
    )
Index(
    "ix_custom_value_fault",
    custom_value.c.tenant_id,
    custom_value.c.field_id,
    custom_value.c.customer_id,
    postgresql_where=custom_value.c.fault.is_not(None),
)

impersonal(custom_field, "what the shop wants to know of everybody")
impersonal(custom_field_policy, "the shop's own rules")
personal(custom_value, erase="row")
