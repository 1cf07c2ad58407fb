"""Tables of the audit log: the gateway's role may add to them and read them.

Of an entry it can change nothing but what was said of a person, who is erased.
"""

from sqlalchemy import CheckConstraint, Column, Index, Table, Text, Uuid
from sqlalchemy.dialects.postgresql import JSONB

from gateway.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

audit_entry = Table(
    "audit_entry",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    instant("at"),
    # Which part of the house told of it.
    Column("part", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("actor_kind", Text, nullable=False),
    Column("actor_id", Text, nullable=False),
    Column("request_id", Text),
    Column("client_ip", Text),
    Column("user_agent", Text),
    Column("subjects", JSONB, nullable=False),
    Column("changes", JSONB, nullable=False),
    Column("detail", JSONB, nullable=False),
    CheckConstraint("kind IN ('change', 'read', 'access')", name="kind"),
)
_NEWEST = (audit_entry.c.at, audit_entry.c.id)
Index("ix_audit_entry_newest", audit_entry.c.tenant_id, *_NEWEST)
Index("ix_audit_entry_actor", audit_entry.c.tenant_id, audit_entry.c.actor_id, *_NEWEST)
Index("ix_audit_entry_action", audit_entry.c.tenant_id, audit_entry.c.action, *_NEWEST)

# Which entries name an object: a list that was read names as many as it showed.
audit_subject = Table(
    "audit_subject",
    metadata,
    tenant_column(),
    Column("object_id", Text, primary_key=True),
    Column("at", audit_entry.c.at.type, primary_key=True),
    Column("entry_id", Uuid, primary_key=True),
)

impersonal(audit_entry, "what was said of people is erased by `erasure.py`; who did what stays")
impersonal(audit_subject, "ids")
