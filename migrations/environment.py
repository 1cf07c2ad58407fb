"""What the `env.py` of every schema does: run its history as the schema's owner.

One history per schema, its version table inside the schema. A connection is handed in by
`migrations.runner`; there is no offline mode.
"""

from alembic import context
from sqlalchemy import Connection, MetaData, text

from shared.db.protection import job_listings, stream_listings, tenant_table
from shared.settings import login_role

LOCK_TIMEOUT = "5s"


def run_migrations(metadata: MetaData) -> None:
    """Upgrade (or compare) the schema of `metadata` over the connection in the configuration."""
    schema = metadata.schema
    if schema is None:
        raise ValueError("the metadata of a part names its schema")
    connection: Connection = context.config.attributes["connection"]
    connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'"))
    context.configure(
        connection=connection,
        target_metadata=metadata,
        version_table_schema=schema,
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name == schema,
        compare_type=True,
        compare_server_default=False,
    )
    context.run_migrations()


def protect(schema: str, *tables: str) -> None:
    """End the creation of tables: row-level security and rights, one statement at a time."""
    from alembic import op

    for table in tables:
        for statement in tenant_table(schema, table):
            op.execute(statement)


def add_stream_listings(schema: str) -> None:
    """The functions that tell a relay's sweep which tenants have work."""
    from alembic import op

    for statement in stream_listings(schema):
        op.execute(statement)


def add_job_listings(schema: str) -> None:
    """The functions that tell a worker's sweep which tenants have jobs."""
    from alembic import op

    for statement in job_listings(schema):
        op.execute(statement)


def owner_role(schema: str) -> str:
    """The role that owns a schema and everything in it; nobody logs in with it."""
    return f"{login_role(schema)}_owner"
