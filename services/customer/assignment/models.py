"""Tables of who gets which customers, when staff work, and who was given whom."""

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Integer,
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

assignment_rule = Table(
    "assignment_rule",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("name", Text, nullable=False),
    Column("position", Integer, nullable=False),
    Column("active", Boolean, nullable=False),
    Column("conditions", JSONB, nullable=False),
    Column("strategy", Text, nullable=False),
    # Ids as texts, in the order in which it is their turn.
    Column("staff_ids", JSONB, nullable=False),
    Column("on_shift_only", Boolean, nullable=False),
    # What whoever gets the customer must be able to do.
    Column("skills", JSONB, nullable=False, server_default=text("'[]'")),
    # Whose turn it was last.
    Column("last_staff_id", Uuid),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint("strategy IN ('round_robin', 'least_load', 'fixed')", name="strategy"),
)
Index(
    "ix_assignment_rule_position",
    assignment_rule.c.tenant_id,
    assignment_rule.c.position,
    assignment_rule.c.id,
)

# Minutes of the day on the shop's clocks; 1 is Monday. A night shift is two rows.
working_shift = Table(
    "working_shift",
    metadata,
    tenant_column(),
    Column("staff_id", Uuid, primary_key=True),
    Column("weekday", SmallInteger, primary_key=True),
    Column("starts_minute", SmallInteger, primary_key=True),
    Column("ends_minute", SmallInteger, nullable=False),
    CheckConstraint("weekday BETWEEN 1 AND 7", name="weekday"),
    CheckConstraint(
        "0 <= starts_minute AND starts_minute < ends_minute AND ends_minute <= 1440", name="period"
    ),
)

staff_skill = Table(
    "staff_skill",
    metadata,
    tenant_column(),
    Column("staff_id", Uuid, primary_key=True),
    Column("skill", Text, primary_key=True),
)

assignment_log = Table(
    "assignment_log",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    # Whose it is about; a task can be about nobody.
    Column("customer_id", Uuid),
    # What was given: the customer, or a task or an appointment by its id.
    Column("subject", Text, nullable=False, server_default=text("'customer'")),
    Column("subject_id", Uuid),
    Column("from_owner_id", Uuid),
    Column("to_owner_id", Uuid, nullable=False),
    # What gave the customer to them: a rule, or a job that moved many.
    Column("rule_id", Uuid),
    Column("job_id", Uuid),
    Column("explanation", JSONB, nullable=False),
    instant("assigned_at"),
    CheckConstraint("subject IN ('customer', 'task', 'appointment')", name="subject"),
    CheckConstraint(
        "subject <> 'customer' OR (customer_id IS NOT NULL AND subject_id IS NULL)",
        name="customer_of_subject",
    ),
    ForeignKeyConstraint(
        ["tenant_id", "customer_id"], ["customer.customer.tenant_id", "customer.customer.id"]
    ),
)
Index(
    "ix_assignment_log_newest",
    assignment_log.c.tenant_id,
    assignment_log.c.assigned_at,
    assignment_log.c.id,
)
Index(
    "ix_assignment_log_customer",
    assignment_log.c.tenant_id,
    assignment_log.c.customer_id,
    assignment_log.c.assigned_at,
    assignment_log.c.id,
)
Index(
    "ix_assignment_log_job",
    assignment_log.c.tenant_id,
    assignment_log.c.job_id,
    assignment_log.c.id,
    postgresql_where=assignment_log.c.job_id.is_not(None),
)

impersonal(assignment_rule, "the shop's own rules")
impersonal(working_shift, "staff")
impersonal(staff_skill, "staff")
personal(
    assignment_log, erase={"explanation": {}}, kept={"subject": "what kind of thing was given"}
)
