"""Tables of imports: the file as it came, its rows, and what became of each of them."""

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    Uuid,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB

from services.customer.models import metadata
from shared.db.tables import instant, tenant_column
from shared.privacy.registry import impersonal, personal

customer_import = Table(
    "customer_import",
    metadata,
    tenant_column(),
    Column("id", Uuid, primary_key=True),
    Column("file_name", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("source", Text, nullable=False),
    # How the file is read, what its columns mean, and how known customers are treated.
    Column("reading", JSONB, nullable=False),
    Column("columns", JSONB, nullable=False),
    Column("mapping", JSONB, nullable=False),
    Column("options", JSONB, nullable=False),
    Column("received_bytes", BigInteger, nullable=False),
    Column("pieces", Integer, nullable=False),
    Column("chunks", Integer, nullable=False),
    Column("rows", Integer, nullable=False),
    # What a dry run, the run and the undoing found, as far as they have come.
    Column("dry_run", JSONB),
    Column("run", JSONB),
    Column("undo", JSONB),
    Column("error", JSONB),
    Column("job_id", Uuid),
    Column("started_by", JSONB, nullable=False),
    instant("files_expire_at", nullable=True),
    # Up to which row it is forgotten what rows changed, from the first step on which nothing can be
    # taken back any more; and since when all of it is.
    Column("forgotten_to", Integer),
    instant("forgotten_at", nullable=True),
    instant("created_at"),
    instant("updated_at"),
    Column("version", BigInteger, nullable=False),
    CheckConstraint(
        "status IN ('uploading', 'reading', 'ready', 'checking', 'running', 'finished', "
        "'cancelled', 'failed', 'undoing', 'undone')",
        name="status",
    ),
)
Index(
    "ix_customer_import_newest",
    customer_import.c.tenant_id,
    customer_import.c.created_at,
    customer_import.c.id,
)
Index(
    "ix_customer_import_unforgotten",
    customer_import.c.tenant_id,
    customer_import.c.updated_at,
    customer_import.c.id,
    postgresql_where=customer_import.c.forgotten_at.is_(None),
)
Index(
    "ix_customer_import_files",
    customer_import.c.tenant_id,
    customer_import.c.files_expire_at,
    postgresql_where=customer_import.c.files_expire_at.is_not(None),
)

# The file as it came, in pieces.
import_piece = Table(
    "import_piece",
    metadata,
    tenant_column(),
    Column("import_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)

# The rows of the file, some hundreds together, so that a step reads what it works on and no more.
import_chunk = Table(
    "import_chunk",
    metadata,
    tenant_column(),
    Column("import_id", Uuid, primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("rows", Integer, nullable=False),
    Column("content", LargeBinary, nullable=False),
)

# Held by whoever measures what a shop has lying, so that two do not see the same room at once.
import_space = Table(
    "import_space",
    metadata,
    tenant_column(),
    instant("measured_at"),
)

# What became of a row, and what is needed to take it back.
import_row = Table(
    "import_row",
    metadata,
    tenant_column(),
    Column("import_id", Uuid, primary_key=True),
    Column("row", Integer, primary_key=True),
    Column("outcome", Text, nullable=False),
    Column("customer_id", Uuid),
    Column("code", Text),
    # The row that had brought the same customer before.
    Column("of_row", Integer),
    Column("problems", JSONB, nullable=False),
    # Fields before and after, and what was added beside them.
    Column("changes", JSONB, nullable=False),
    # The customer's version when the row had been taken in.
    Column("customer_version", BigInteger),
    Column("undone", Text),
    CheckConstraint(
        "outcome IN ('created', 'updated', 'unchanged', 'merged', 'invalid', 'erased')",
        name="outcome",
    ),
    CheckConstraint("undone IN ('removed', 'restored', 'partly', 'kept')", name="undone"),
)
Index(
    "ix_import_row_outcome",
    import_row.c.tenant_id,
    import_row.c.import_id,
    import_row.c.outcome,
    import_row.c.row,
)
Index(
    "ix_import_row_customer",
    import_row.c.tenant_id,
    import_row.c.customer_id,
    import_row.c.import_id,
    import_row.c.row,
    postgresql_where=text("customer_id IS NOT NULL"),
)

# By what a row is known again, in the same file or the next time: digests, from which nothing can
# be told. `scope` is an import while it is only tried out.
import_key = Table(
    "import_key",
    metadata,
    tenant_column(),
    Column("scope", Uuid, primary_key=True),
    Column("key", Uuid, primary_key=True),
    Column("customer_id", Uuid, nullable=False),
    # The row that brought it.
    Column("row", Integer, nullable=False),
)
Index("ix_import_key_customer", import_key.c.tenant_id, import_key.c.customer_id)

impersonal(
    customer_import,
    "the shop's own file; its samples are forgotten with the rows, and by `erasure.py` before",
)
impersonal(import_space, "a moment")
impersonal(import_piece, "a whole file; deleted some days after it was read")
impersonal(import_chunk, "a whole file; deleted some days after it was read")
personal(import_row, erase={"problems": [], "changes": {}})
personal(import_key, erase="row", hidden=("key",))
