"""How long a shop keeps what, the runs that saw to it, and who was passed over for a reason."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Date,
    Index,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, personal

retention_rule = Table(
    "retention_rule",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    # Names of `catalogue.py`.
    Column("data", JSONB, nullable=False),
    Column("clock", Text, nullable=False),
    Column("period", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("applies_to", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    # Of which collection of rules it was taken, if of any.
    Column("preset", Text),
    # Whose clock began before that was looked at, the last time at the second moment.
    instant("looked_until", nullable=True),
    instant("looked_at", nullable=True),
    Column("created_by", Text, nullable=False),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("action IN ('empty', 'anonymise', 'report')", name="action"),
    CheckConstraint("applies_to IN ('everybody', 'leads', 'customers')", name="applies_to"),
)
Index(
    "ix_retention_rule_newest",
    retention_rule.c.tenant_id,
    retention_rule.c.created_at,
    retention_rule.c.id,
)

# Its id is that of its job. It outlives the job and names nobody.
retention_run = Table(
    "retention_run",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("started_by", Text, nullable=False),
    # The rules as they were, in the order in which they are followed, and what came of each.
    Column("rules", JSONB, nullable=False),
    instant("started_at"),
    instant("finished_at", nullable=True),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("kind IN ('nightly', 'manual', 'dry_run')", name="kind"),
    CheckConstraint("status IN ('running', 'finished', 'cancelled', 'failed')", name="status"),
)
Index(
    "ix_retention_run_newest",
    retention_run.c.tenant_id,
    retention_run.c.started_at,
    retention_run.c.id,
)
# Two at a time would empty the same twice.
Index(
    "uq_retention_run_running",
    retention_run.c.tenant_id,
    unique=True,
    postgresql_where=text("finished_at IS NULL AND kind <> 'dry_run'"),
)

# The last night of which the run was begun.
retention_night = Table(
    "retention_night",
    metadata,
    tenant_column(),
    Column("begun_on", Date, nullable=False),
)

# Whose time is over and whom a rule has left alone, until when somebody looks again.
retention_exception = Table(
    "retention_exception",
    metadata,
    tenant_column(),
    Column("rule_id", Uuid, primary_key=True),
    Column("customer_id", Uuid, primary_key=True),
    Column("reason", Text, nullable=False),
    instant("look_again_at"),
    CheckConstraint(
        "reason IN ('legal_hold', 'privacy_request', 'restriction', 'law', 'not_yet')",
        name="reason",
    ),
)
Index(
    "ix_retention_exception_due",
    retention_exception.c.tenant_id,
    retention_exception.c.rule_id,
    retention_exception.c.look_again_at,
    retention_exception.c.customer_id,
)
Index(
    "ix_retention_exception_customer",
    retention_exception.c.tenant_id,
    retention_exception.c.customer_id,
)

impersonal(retention_rule, "the shop's own rules")
impersonal(retention_run, "counts")
impersonal(retention_night, "when the shop's run was begun")
personal(retention_exception, erase="row", hidden=("look_again_at",))
