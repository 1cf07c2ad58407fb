"""Where the evaluation of a shop stands: one row that every evaluation holds on to."""

from sqlalchemy import BigInteger, Boolean, Column, Table, text

from services.segmentation.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.field_marks import field_mark_table
from shared.privacy.registry import impersonal

evaluation_state = Table(
    "evaluation_state",
    metadata,
    tenant_column(),
    # Grows with every change of any rule, so that a process knows when to read them again.
    Column("rules_version", BigInteger, nullable=False, server_default=text("1")),
    # True while the facts are incomplete: they are applied, and nobody enters or leaves.
    Column("suspended", Boolean, nullable=False, server_default=text("false")),
    # Up to this instant time has been taken into account for everybody.
    instant("swept_until"),
)

field_mark = field_mark_table(metadata)

impersonal(evaluation_state, "where a sweep stands")
