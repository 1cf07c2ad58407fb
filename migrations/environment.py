"""What the `env.py` of every schema does: run its history as the schema's owner.

One history per schema, its version table inside the schema. A connection is handed in by
`migrations.runner`; there is no offline mode.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import context
from sqlalchemy import Connection, MetaData, text

from shared.db.protection import (
    dead_letter_listings,
    erasure_listings,
    job_listings,
    retention_listings,
    stream_listings,
    tenant_table,
)
from shared.settings import login_role

# A migration that waits for a lock makes everybody behind it wait: it gives up and tries again.
LOCK_TIMEOUT = "5s"
# What takes longer works through rows, and that is a job's business.
STATEMENT_TIMEOUT = "5min"


def run_migrations(metadata: MetaData) -> None:
    """Upgrade (or compare) the schema of `metadata` over the connection in the configuration.

    Each migration in a transaction of its own, unless the caller has begun one around all.
    """
    schema = metadata.schema
    if schema is None:
        raise ValueError("the metadata of a part names its schema")
    connection: Connection = context.config.attributes["connection"]
    callers = connection.in_transaction()
    _set_timeouts(connection)
    if not callers:
        connection.execute(text(f"SET ROLE {owner_role(schema)}"))
        connection.commit()
    context.configure(
        transaction_per_migration=True,
        connection=connection,
        target_metadata=metadata,
        version_table_schema=schema,
        include_schemas=True,
        include_name=lambda name, kind, _parents: kind != "schema" or name == schema,
        compare_type=True,
        compare_server_default=False,
    )
    with context.begin_transaction():
        context.run_migrations()


def _set_timeouts(connection: Connection) -> None:
    connection.execute(text(f"SET lock_timeout = '{LOCK_TIMEOUT}'"))
    connection.execute(text(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'"))


def create_index_online(
    name: str, table: str, columns: Sequence[Any], *, schema: str, **options: Any
) -> None:
    """An index on a table in use: built while others write, outside of any transaction.

    What came before it in the same migration is committed already, so it stands in a migration
    by itself. One that broke off left an index that is not valid, which is removed first.
    """
    from alembic import op

    with _online():
        op.drop_index(name, table, schema=schema, if_exists=True, postgresql_concurrently=True)
        op.create_index(
            name, table, columns, schema=schema, postgresql_concurrently=True, **options
        )


def drop_index_online(name: str, table: str, *, schema: str) -> None:
    """Remove an index from a table in use, as it was built."""
    from alembic import op

    with _online():
        op.drop_index(name, table, schema=schema, if_exists=True, postgresql_concurrently=True)


@contextmanager
def _online() -> Iterator[None]:
    """Outside of any transaction, and with all the time there is."""
    from alembic import op

    with op.get_context().autocommit_block():
        # It waits for every transaction that is older than itself, however long that takes.
        op.execute("SET lock_timeout = 0")
        op.execute("SET statement_timeout = 0")
        yield
        op.execute(f"SET lock_timeout = '{LOCK_TIMEOUT}'")
        op.execute(f"SET statement_timeout = '{STATEMENT_TIMEOUT}'")


@contextmanager
def for_every_tenant(table: str, *, schema: str) -> Iterator[None]:
    """Let statements reach all rows of a table; the wall between tenants is its owner's, too.

    Without this they would find none, and say nothing. Whoever serves meanwhile stays behind it.
    """
    from alembic import op

    op.execute(f"ALTER TABLE {schema}.{table} NO FORCE ROW LEVEL SECURITY")
    yield
    op.execute(f"ALTER TABLE {schema}.{table} FORCE ROW LEVEL SECURITY")


def widen_check(name: str, table: str, condition: str, *, schema: str) -> None:
    """Let a check constraint admit more than before.

    Every row satisfies the narrower one, so the table need not be read while it is locked.
    """
    from alembic import op

    op.drop_constraint(name, table, schema=schema, type_="check")
    op.execute(f"ALTER TABLE {schema}.{table} ADD CONSTRAINT {name} CHECK ({condition}) NOT VALID")


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


def add_retention_listings(schema: str) -> None:
    """The function that tells which tenants' old events are to be forgotten."""
    from alembic import op

    for statement in retention_listings(schema):
        op.execute(statement)


def add_dead_letter_listings(schema: str) -> None:
    """The function that tells which tenants have events set aside."""
    from alembic import op

    for statement in dead_letter_listings(schema):
        op.execute(statement)


def add_erased_customers(schema: str) -> None:
    """The table of who was erased, and the function that tells which tenants have to look again."""
    import sqlalchemy as sa
    from alembic import op
    from sqlalchemy.dialects import postgresql

    op.create_table(
        "erased_customer",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("customer_id", sa.Uuid(), nullable=False),
        sa.Column("erasure_id", sa.Uuid(), nullable=False),
        sa.Column("erased_at", postgresql.TIMESTAMP(timezone=True), nullable=False),
        sa.Column("again_at", postgresql.TIMESTAMP(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("tenant_id", "customer_id", name=op.f("pk_erased_customer")),
        schema=schema,
    )
    op.create_index(
        "ix_erased_customer_again",
        "erased_customer",
        ["tenant_id", "again_at"],
        schema=schema,
        postgresql_where=sa.text("again_at IS NOT NULL"),
    )
    protect(schema, "erased_customer")
    for statement in erasure_listings(schema):
        op.execute(statement)


def remove_erased_customers(schema: str) -> None:
    """What `add_erased_customers` added."""
    from alembic import op

    op.execute(f"DROP FUNCTION {schema}.tenants_with_erasures_to_repeat()")
    op.drop_table("erased_customer", schema=schema)


def add_field_marks(schema: str) -> None:
    """The table of the fields that a shop has marked as personal."""
    import sqlalchemy as sa
    from alembic import op

    op.create_table(
        "field_mark",
        sa.Column("tenant_id", sa.Uuid(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("field_id", sa.Uuid(), nullable=False),
        sa.Column("sensitivity", sa.Text(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name=op.f("pk_field_mark")),
        schema=schema,
    )
    protect(schema, "field_mark")


def remove_field_marks(schema: str) -> None:
    """What `add_field_marks` added."""
    from alembic import op

    op.drop_table("field_mark", schema=schema)


def owner_role(schema: str) -> str:
    """The role that owns a schema and everything in it; nobody logs in with it."""
    return f"{login_role(schema)}_owner"
