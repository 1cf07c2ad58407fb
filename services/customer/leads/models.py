"""What people sent by forms, and the leads that were made of it."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.leads.finding import sent_by_person
from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import belonging_to, personal

_INTENTS = "intent IN ('wants_meeting', 'wants_information', 'follows_brand')"

lead_submission = Table(
    "lead_submission",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("form_id", Uuid, nullable=False),
    Column("status", Text, nullable=False),
    # Why it was kept aside; empty when nothing is odd about it.
    Column("suspicions", JSONB, nullable=False),
    Column("customer_id", Uuid),
    Column("intent", Text, nullable=False),
    Column("entered", JSONB, nullable=False),
    Column("consents", JSONB, nullable=False),
    Column("origin", JSONB, nullable=False),
    Column("via", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("source_page", Text),
    Column("client_ip", Text),
    Column("user_agent", Text),
    # Consents wait from the one to the other, where the form asks for a second yes.
    instant("confirmation_sent_at", nullable=True),
    instant("confirmed_at", nullable=True),
    instant("received_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("status IN ('accepted', 'suspected', 'rejected')", name="status"),
    CheckConstraint("(status = 'accepted') = (customer_id IS NOT NULL)", name="whose"),
    CheckConstraint(_INTENTS, name="intent"),
    CheckConstraint("via IN ('page', 'api')", name="via"),
    CheckConstraint("language IN ('vi', 'en')", name="language"),
    ForeignKeyConstraint(
        ["tenant_id", "form_id"], ["customer.lead_form.tenant_id", "customer.lead_form.id"]
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_lead_submission_newest",
    lead_submission.c.tenant_id,
    lead_submission.c.form_id,
    lead_submission.c.received_at,
    lead_submission.c.id,
)
Index(
    "ix_lead_submission_client_ip",
    lead_submission.c.tenant_id,
    lead_submission.c.client_ip,
    lead_submission.c.received_at,
    postgresql_where=lead_submission.c.client_ip.is_not(None),
)
# The oldest of those that still say something.
Index(
    "ix_lead_submission_entered",
    lead_submission.c.tenant_id,
    lead_submission.c.received_at,
    lead_submission.c.id,
    postgresql_where=text("entered <> '{}'::jsonb"),
)

# The newest submission of each content. A row is what tells a second click from a second thought.
lead_fingerprint = Table(
    "lead_fingerprint",
    metadata,
    tenant_column(),
    Column("form_id", Uuid, primary_key=True),
    Column("digest", LargeBinary, primary_key=True),
    Column("submission_id", Uuid, nullable=False),
    instant("received_at"),
)

lead = Table(
    "lead",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    Column("form_id", Uuid),
    Column("submission_id", Uuid),
    Column("intent", Text, nullable=False),
    # Where the first touch came from, in one word.
    Column("source", Text, nullable=False),
    Column("source_page", Text),
    instant("captured_at"),
    instant("converted_at", nullable=True),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint(_INTENTS, name="intent"),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
    ForeignKeyConstraint(
        ["tenant_id", "form_id"], ["customer.lead_form.tenant_id", "customer.lead_form.id"]
    ),
)
Index("uq_lead_customer", lead.c.tenant_id, lead.c.customer_id, unique=True)
Index("ix_lead_newest", lead.c.tenant_id, lead.c.captured_at, lead.c.id)
Index("ix_lead_form_newest_leads", lead.c.tenant_id, lead.c.form_id, lead.c.captured_at, lead.c.id)

Index(
    "ix_lead_submission_customer",
    lead_submission.c.tenant_id,
    lead_submission.c.customer_id,
    postgresql_where=lead_submission.c.customer_id.is_not(None),
)
# What was kept aside: whose it may be tells only what was entered.
Index(
    "ix_lead_submission_of_nobody",
    lead_submission.c.tenant_id,
    lead_submission.c.id,
    postgresql_where=lead_submission.c.customer_id.is_(None),
)
Index(
    "ix_lead_fingerprint_received",
    lead_fingerprint.c.tenant_id,
    lead_fingerprint.c.received_at,
)
Index(
    "ix_lead_fingerprint_submission",
    lead_fingerprint.c.tenant_id,
    lead_fingerprint.c.submission_id,
)

personal(
    lead_submission,
    of=sent_by_person,
    erase={
        **dict.fromkeys(("client_ip", "user_agent", "source_page")),
        "entered": {},
        "origin": {},
    },
    kept={"consents": "which wordings were agreed to", "suspicions": "names of rules"},
)
personal(
    lead_fingerprint,
    of=belonging_to(lead_submission, "submission_id"),
    erase="row",
    hidden=("digest",),
)
personal(lead, erase={"source_page": None}, kept={"source": "where orders came from"})
