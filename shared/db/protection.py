"""The second wall: row-level security, and the functions that every schema needs.

The first wall is that each statement names its tenant; see `docs/adr/`.
"""

from collections.abc import Iterator

from shared.settings import login_role

TENANT_IS_CURRENT = "tenant_id = nullif(current_setting('careloop.tenant', true), '')::uuid"


def schema_functions(schema: str) -> Iterator[str]:
    """`set_tenant(uuid)`: the one way to choose a tenant, local to the transaction."""
    yield f"""
        CREATE OR REPLACE FUNCTION {schema}.set_tenant(tenant uuid) RETURNS void
        LANGUAGE plpgsql AS $$
        BEGIN
            EXECUTE format('SET LOCAL careloop.tenant = %L', tenant);
        END
        $$
    """
    yield f"GRANT EXECUTE ON FUNCTION {schema}.set_tenant(uuid) TO {login_role(schema)}"


def tenant_table(schema: str, table: str) -> Iterator[str]:
    """Statements that end the creation of a table: forced RLS and the login role's rights.

    The place to distribute the table by `tenant_id` on Citus; on plain PostgreSQL nothing to do.
    """
    name, role = f"{schema}.{table}", login_role(schema)
    yield f"ALTER TABLE {name} ENABLE ROW LEVEL SECURITY"
    yield f"ALTER TABLE {name} FORCE ROW LEVEL SECURITY"
    yield (
        f"CREATE POLICY tenant ON {name} TO {role} "
        f"USING ({TENANT_IS_CURRENT}) WITH CHECK ({TENANT_IS_CURRENT})"
    )
    yield f"GRANT SELECT, INSERT, UPDATE, DELETE ON {name} TO {role}"


def tenant_listing(schema: str, function: str, *, table: str, where: str) -> Iterator[str]:
    """A function that tells which tenants have rows of `table` matching `where`: ids, no rows.

    Background work starts from such a list and then works per tenant. The function runs as the
    schema's owner, whose policy lets it read; it hops over the index from tenant to tenant, so
    its cost follows the number of tenants with work, not the number of rows.
    """
    owner, name = f"{login_role(schema)}_owner", f"{schema}.{table}"
    yield f"CREATE POLICY listing_{function} ON {name} FOR SELECT TO {owner} USING (true)"
    yield f"""
        CREATE OR REPLACE FUNCTION {schema}.{function}() RETURNS SETOF uuid
        LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
            WITH RECURSIVE hop AS (
                (SELECT t.tenant_id FROM {name} t WHERE {where} ORDER BY t.tenant_id LIMIT 1)
                UNION ALL
                SELECT (SELECT t.tenant_id FROM {name} t
                        WHERE ({where}) AND t.tenant_id > hop.tenant_id
                        ORDER BY t.tenant_id LIMIT 1)
                FROM hop WHERE hop.tenant_id IS NOT NULL
            )
            SELECT tenant_id FROM hop WHERE tenant_id IS NOT NULL
        $$
    """
    yield f"REVOKE ALL ON FUNCTION {schema}.{function}() FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {schema}.{function}() TO {login_role(schema)}"


def stream_listings(schema: str) -> Iterator[str]:
    """The lists that the foundation's background work starts from.

    Unsent events and unacknowledged batches for the relay's sweep, kept answers for forgetting.
    """
    yield from tenant_listing(
        schema, "tenants_with_unsent_events", table="outbox", where="t.position IS NULL"
    )
    yield from tenant_listing(
        schema, "tenants_with_unacknowledged_events", table="subscription", where="t.acked < t.sent"
    )
    yield from tenant_listing(
        schema, "tenants_with_idempotency_keys", table="idempotency_key", where="true"
    )


def job_listings(schema: str) -> Iterator[str]:
    """The lists that workers start from: jobs to be gone on with, and ended ones to be forgotten.

    The first says which tenants have jobs that nobody need be waited for, leased or not.
    """
    yield from tenant_listing(
        schema,
        "tenants_with_waiting_jobs",
        table="job",
        where="t.status IN ('queued', 'running') AND NOT t.parked",
    )
    yield from tenant_listing(
        schema, "tenants_with_ended_jobs", table="job", where="t.finished_at IS NOT NULL"
    )


def retention_listings(schema: str) -> Iterator[str]:
    """The list that forgetting old events starts from: every tenant that ever told of something."""
    yield from tenant_listing(schema, "tenants_with_streams", table="stream", where="true")


def dead_letter_listings(schema: str) -> Iterator[str]:
    """The tenants that have events set aside, for whoever counts them."""
    yield from tenant_listing(
        schema, "tenants_with_dead_letters", table="dead_letter", where="t.replayed_at IS NULL"
    )


def erasure_listings(schema: str) -> Iterator[str]:
    """The tenants of whom somebody was erased a while ago, to be erased once more."""
    yield from tenant_listing(
        schema,
        "tenants_with_erasures_to_repeat",
        table="erased_customer",
        where="t.again_at IS NOT NULL",
    )
