"""The ledger of what people agreed to: rows are added, never changed.

The database lets this service change nothing of an answer; only the personal part of its evidence
can be made anonymous, when the person is erased. Wordings never change either.
"""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    UniqueConstraint,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, personal

consent_record = Table(
    "consent_record",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    Column("proof", JSONB, nullable=False),
    instant("changed_at"),
    instant("created_at"),
    Column("legal_basis", Text, nullable=False, server_default=text("'consent'")),
    # By which act it was said; unknown for answers of before this was asked.
    Column("act", Text),
    # The wording that was agreed to, and its digest: proof also of which words they were.
    Column("text_id", Uuid),
    Column("text_digest", Text),
    Column("frequency", JSONB(none_as_null=True)),
    instant("expires_at", nullable=True),
    # When a second yes came, from the mailbox or number itself.
    instant("confirmed_at", nullable=True),
    Column("actor_kind", Text),
    Column("actor_id", Text),
    Column("client_ip", Text),
    Column("user_agent", Text),
    # Of the evidence that was made anonymous.
    Column("evidence_digest", Text),
    CheckConstraint("purpose IN ('marketing', 'care', 'profiling', 'sharing')", name="purpose"),
    CheckConstraint("channel IN ('email', 'sms', 'zalo', 'call', 'any')", name="channel"),
    CheckConstraint("status IN ('granted', 'withdrawn')", name="status"),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_consent_record_newest",
    consent_record.c.tenant_id,
    consent_record.c.customer_id,
    consent_record.c.changed_at,
    consent_record.c.id,
)
Index(
    "ix_consent_record_withdrawn",
    consent_record.c.tenant_id,
    consent_record.c.changed_at,
    consent_record.c.customer_id,
    postgresql_where=consent_record.c.status == "withdrawn",
)

consent_text = Table(
    "consent_text",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("key", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("version", BigInteger, nullable=False),
    Column("purpose", Text, nullable=False),
    Column("channels", JSONB, nullable=False),
    Column("text", Text, nullable=False),
    # What a person must know who agrees to advertising (Law 91/2025/QH15, Art. 28).
    Column("content", Text),
    Column("method", Text),
    Column("form", Text),
    Column("frequency", JSONB(none_as_null=True)),
    Column("digest", Text, nullable=False),
    instant("created_at"),
    UniqueConstraint("tenant_id", "key", "language", "version"),
)
Index(
    "ix_consent_text_newest",
    consent_text.c.tenant_id,
    consent_text.c.created_at,
    consent_text.c.id,
)

# Before the proof goes, its digest is taken (`evidence.py`): that there was proof stays.
personal(
    consent_record,
    erase={
        "proof": {},
        "client_ip": None,
        "user_agent": None,
    },
    kept={"frequency": "what was promised", "text_digest": "of the shop's own wording"},
)
impersonal(consent_text, "the shop's own words")
