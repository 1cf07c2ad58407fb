"""What people wrote to the shop, as it arrived."""

from sqlalchemy import Column, Index, Table, Text, UniqueConstraint, Uuid

from services.messaging.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import ERASED, addressed_to, personal

inbound_message = Table(
    "inbound_message",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("channel", Text, nullable=False),
    Column("external_id", Text, nullable=False),
    Column("conversation_ref", Text),
    Column("customer_id", Uuid),
    Column("sender_name", Text),
    Column("sender_email", Text),
    Column("sender_phone", Text),
    Column("subject", Text),
    Column("text", Text, nullable=False),
    instant("received_at"),
    instant("created_at"),
    UniqueConstraint("tenant_id", "channel", "external_id"),
)
Index(
    "ix_inbound_message_tenant_id_received_at_id",
    inbound_message.c.tenant_id,
    inbound_message.c.received_at,
    inbound_message.c.id,
)
Index(
    "ix_inbound_message_tenant_id_customer_id_received_at_id",
    inbound_message.c.tenant_id,
    inbound_message.c.customer_id,
    inbound_message.c.received_at,
    inbound_message.c.id,
)

# What came of people whom nobody knew.
for _address in ("sender_email", "sender_phone"):
    Index(
        f"ix_inbound_message_unknown_{_address}",
        inbound_message.c.tenant_id,
        inbound_message.c[_address],
        postgresql_where=inbound_message.c.customer_id.is_(None)
        & inbound_message.c[_address].is_not(None),
    )

personal(
    inbound_message,
    of=addressed_to(email="sender_email", phone="sender_phone"),
    erase={
        **dict.fromkeys(("sender_name", "sender_email", "sender_phone")),
        **dict.fromkeys(("subject", "conversation_ref")),
        "text": ERASED,
    },
    kept={"external_id": "so that the same message is not taken in again"},
)
