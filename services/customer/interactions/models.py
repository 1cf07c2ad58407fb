"""What passed between customers and staff, and when each customer was last in touch."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
    Table,
    Text,
    Uuid,
)

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import personal

interaction = Table(
    "interaction",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("kind", Text, nullable=False),
    Column("direction", Text),
    Column("channel", Text),
    Column("staff_id", Uuid),
    instant("started_at"),
    Column("duration_s", Integer),
    Column("outcome", Text),
    Column("text", Text),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint(
        "kind IN ('call', 'chat', 'visit', 'email', 'message', 'meeting', 'other')", name="kind"
    ),
    CheckConstraint("direction IN ('inbound', 'outbound')", name="direction"),
    CheckConstraint("duration_s >= 0", name="duration"),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index("ix_interaction_newest", interaction.c.tenant_id, interaction.c.started_at, interaction.c.id)
Index(
    "ix_interaction_customer",
    interaction.c.tenant_id,
    interaction.c.customer_id,
    interaction.c.started_at,
    interaction.c.id,
)
Index(
    "ix_interaction_staff",
    interaction.c.tenant_id,
    interaction.c.staff_id,
    interaction.c.started_at,
    interaction.c.id,
)
# The oldest words that are still there.
Index(
    "ix_interaction_with_text",
    interaction.c.tenant_id,
    interaction.c.started_at,
    interaction.c.id,
    postgresql_where=interaction.c.text.is_not(None),
)

# A row per record of a customer that was ever in touch; a person's last is the newest of theirs.
customer_care = Table(
    "customer_care",
    metadata,
    tenant_column(),
    Column("customer_id", Uuid, primary_key=True),
    instant("last_interaction_at"),
    Column("last_interaction_kind", Text, nullable=False),
    # Unknown when the customer wrote and nobody has answered yet.
    Column("last_staff_id", Uuid),
    Column("interactions_count", BigInteger, nullable=False),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)

personal(interaction, erase={"text": None})
personal(customer_care, erase={})
