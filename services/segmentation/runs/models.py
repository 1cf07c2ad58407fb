"""Work over a whole shop that goes on in steps: a row per job, with the place it has reached."""

from sqlalchemy import CheckConstraint, Column, Index, Integer, Table, Text, Uuid, text

from services.segmentation.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal

run = Table(
    "run",
    metadata,
    tenant_column(),
    Column("job_id", Uuid, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("phase", Text, nullable=False),
    # Which segment is evaluated or emptied; null is every active one.
    Column("segment_id", Uuid),
    # Why those enter or leave who do.
    Column("reason", Text, nullable=False),
    # The last customer that is done; null before the first.
    Column("after_id", Uuid),
    Column("attempts", Integer, nullable=False, server_default=text("0")),
    instant("created_at"),
    CheckConstraint("kind IN ('evaluation', 'removal', 'rebuild')", name="kind"),
    CheckConstraint(
        "phase IN ('forget', 'await_snapshot', 'evaluate', 'clear', 'remove')", name="phase"
    ),
)
Index(None, run.c.tenant_id, run.c.created_at)
Index(
    "ix_run_waiting",
    run.c.tenant_id,
    postgresql_where=text("phase <> 'await_snapshot'"),
)

impersonal(run, "where a walk stands")
