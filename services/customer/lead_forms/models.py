"""Forms by which people tell who they are, and every wording that they agreed to."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    Text,
    Uuid,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

lead_form = Table(
    "lead_form",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("title", JSONB, nullable=False),
    Column("intro", JSONB(none_as_null=True)),
    Column("fields", JSONB, nullable=False),
    Column("own_fields", JSONB, nullable=False),
    Column("consents", JSONB, nullable=False),
    Column("intents", JSONB, nullable=False),
    Column("default_intent", Text, nullable=False),
    Column("thank_you", JSONB, nullable=False),
    Column("allowed_origins", JSONB, nullable=False),
    Column("redirect_url", Text),
    # Who is to get in touch with whoever wants this, and how soon.
    Column("follow_up", JSONB(none_as_null=True)),
    Column("double_opt_in", Boolean, nullable=False),
    Column("active", Boolean, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint(
        "default_intent IN ('wants_meeting', 'wants_information', 'follows_brand')",
        name="default_intent",
    ),
)
Index("ix_lead_form_newest", lead_form.c.tenant_id, lead_form.c.created_at, lead_form.c.id)

# Only ever added to: what somebody agreed to must be found as it was worded.
lead_form_text = Table(
    "lead_form_text",
    metadata,
    tenant_column(),
    Column("form_id", Uuid, primary_key=True),
    Column("purpose", Text, primary_key=True),
    Column("channel", Text, primary_key=True),
    Column("version", BigInteger, primary_key=True),
    Column("text", JSONB, nullable=False),
    instant("created_at"),
    CheckConstraint("purpose IN ('marketing', 'care')", name="purpose"),
    CheckConstraint("channel IN ('email', 'sms', 'zalo', 'call')", name="channel"),
    ForeignKeyConstraint(
        ["tenant_id", "form_id"], ["customer.lead_form.tenant_id", "customer.lead_form.id"]
    ),
)

impersonal(lead_form, "the shop's own form")
impersonal(lead_form_text, "the shop's own words")
