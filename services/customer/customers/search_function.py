"""The function of the schema that finds customers by patterns."""

from collections.abc import Iterator

from shared.db.protection import TENANT_IS_CURRENT
from shared.settings import login_role

_SIGNATURE = "text[], text, text, text, timestamptz, timestamptz, integer"


def search_function(schema: str = "customer") -> Iterator[str]:
    """Statements that create `search_customers`: the newest customers that match every pattern.

    `LIKE` is not leakproof, so under row-level security PostgreSQL filters by the policy first
    and no trigram index can serve it. The function runs as the schema's owner, whose policy lets
    it read, and names the current tenant itself: the second wall stands as before. It plans each
    search anew, because the best plan for "nguyen" is the worst for a rare name.
    """
    owner, table = f"{login_role(schema)}_owner", f"{schema}.customer"
    yield f"CREATE POLICY search ON {table} FOR SELECT TO {owner} USING (true)"
    yield f"""
        CREATE OR REPLACE FUNCTION {schema}.search_customers(
            patterns text[], in_stage text, from_source text, with_tag text,
            created_from timestamptz, created_until timestamptz, at_most integer
        ) RETURNS SETOF {table}
        LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog AS $$
        DECLARE
            matches text;
        BEGIN
            SELECT string_agg(format('c.search_key LIKE %L', pattern), ' AND ')
            INTO STRICT matches FROM unnest(patterns) AS pattern;
            RETURN QUERY EXECUTE
                'SELECT c.* FROM {table} c WHERE c.{TENANT_IS_CURRENT.replace("'", "''")} AND '
                || matches ||
                ' AND ($1 IS NULL OR c.stage = $1) AND ($2 IS NULL OR c.source = $2)
                  AND ($3 IS NULL OR c.tags ? $3)
                  AND ($4 IS NULL OR c.created_at >= $4) AND ($5 IS NULL OR c.created_at < $5)
                  ORDER BY c.created_at DESC, c.id DESC LIMIT $6'
                USING in_stage, from_source, with_tag, created_from, created_until, at_most;
        END
        $$
    """
    yield f"REVOKE ALL ON FUNCTION {schema}.search_customers({_SIGNATURE}) FROM PUBLIC"
    yield (
        f"GRANT EXECUTE ON FUNCTION {schema}.search_customers({_SIGNATURE}) TO {login_role(schema)}"
    )
