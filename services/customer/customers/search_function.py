"""The function of the schema that finds customers by patterns."""

from collections.abc import Iterator

from shared.db.protection import TENANT_IS_CURRENT
from shared.settings import login_role

_SIGNATURE = "text[], text, integer, text, text, text, timestamptz, timestamptz, integer"
_OWNER_SIGNATURE = ", uuid, uuid[]"
_OWNER = {
    "owner_parameters": ", with_owner uuid, seen_by uuid[]",
    "owner_filter": """
        AND ($8 IS NULL OR owner_id = $8)
        AND ($9 IS NULL OR owner_id IS NULL OR owner_id = ANY ($9))""",
    "owner_values": ", with_owner, seen_by",
}
_SAMPLE = 1000
_DEARER = 20

_FUNCTION = """
CREATE OR REPLACE FUNCTION {schema}.search_customers(
    patterns text[], name_begins text, names_enough integer,
    in_stage text, from_source text, with_tag text,
    created_from timestamptz, created_until timestamptz, at_most integer{owner_parameters}
) RETURNS SETOF {table}
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    current_tenant CONSTANT uuid := {tenant};
    matching text;
    filtered CONSTANT text := 'merged_into IS NULL
        AND ($3 IS NULL OR stage = $3) AND ($4 IS NULL OR source = $4)
        AND ($5 IS NULL OR tags ? $5)
        AND ($6 IS NULL OR created_at >= $6)
        AND ($7 IS NULL OR created_at < $7){owner_filter}{roots_filter}';
    walk CONSTANT text := '(SELECT * FROM {table} WHERE tenant_id = $1
        {newest_first} OFFSET 0) newest';
    looked_up CONSTANT text := 'SELECT * FROM (
            SELECT * FROM {table} WHERE tenant_id = $1 AND %s AND ' || filtered || ' OFFSET 0
        ) matched {newest_first} LIMIT $2';
    named text;
    rows_in_all float8;
    sampled integer;
    found integer;
BEGIN
    SELECT string_agg(format('search_key LIKE %L', pattern), ' AND ')
    INTO STRICT matching FROM unnest(patterns) AS pattern;
    EXECUTE 'SELECT count(*), count(*) FILTER (WHERE ' || matching || ')
        FROM (SELECT search_key FROM {table} WHERE tenant_id = $1
              {newest_first} LIMIT {sample}) newest'
        INTO sampled, found USING current_tenant;
    -- A table that was never analysed, or long ago, may be larger than it looks.
    SELECT greatest(reltuples, 100000) INTO STRICT rows_in_all
    FROM pg_class WHERE oid = '{table}'::regclass;
    IF sampled < {sample} OR found >= sampled * sqrt(at_most / ({dearer} * rows_in_all)) THEN
        RETURN QUERY EXECUTE 'SELECT * FROM ' || walk || ' WHERE ' || matching
            || ' AND ' || filtered || ' LIMIT $2'
            USING current_tenant, at_most,
                  in_stage, from_source, with_tag, created_from, created_until{owner_values};
        RETURN;
    END IF;
    IF name_begins IS NOT NULL THEN
        named := format('name_key LIKE %L', name_begins);
        RETURN QUERY EXECUTE format(looked_up, named) USING current_tenant, at_most,
            in_stage, from_source, with_tag, created_from, created_until{owner_values};
        GET DIAGNOSTICS found = ROW_COUNT;
        IF found >= names_enough THEN
            RETURN;
        END IF;
        matching := matching || ' AND (' || named || ') IS NOT TRUE';
    END IF;
    RETURN QUERY EXECUTE format(looked_up, matching) USING current_tenant, at_most,
        in_stage, from_source, with_tag, created_from, created_until{owner_values};
END
$function$
"""


def search_function(
    schema: str = "customer", *, by_owner: bool = False, of_roots: bool = False
) -> Iterator[str]:
    """Statements that create `search_customers`: the newest customers that match every pattern.

    `LIKE` is not leakproof, so under row-level security PostgreSQL filters by the policy first
    and no trigram index can serve it. The function runs as the schema's owner, whose policy lets
    it read, and names the current tenant itself: the second wall stands as before.

    For the same reason the planner may not look at its statistics of names, and could not tell
    "nguyen" (walk from the newest end, there are plenty) from a rare name (ask the index). So the
    function asks the newest customers how common the patterns are, and chooses by where the two
    ways cost the same: matches of share s are found by walking over `at_most / s` rows, or by
    fetching `s * rows` from the index, which costs about twenty times as much per row: trigrams
    that are in most names have to be read and met with each other, and each row checked.

    Even then the words of a full name may each be common, and their intersection dear: so names
    that begin with the searched text are looked up first, in an index of names, and when there
    are `names_enough` of them that is all.

    `by_owner` is the form that also asks whose customers they are: `with_owner` only that one's,
    `seen_by` only nobody's and those of these. Its sibling is what the release before calls.
    `of_roots` is the form that passes over records that were merged into others.
    """
    owner, table = f"{login_role(schema)}_owner", f"{schema}.customer"
    name = f"{schema}.search_customers({_SIGNATURE}{_OWNER_SIGNATURE if by_owner else ''})"
    if not by_owner:
        yield f"CREATE POLICY search ON {table} FOR SELECT TO {owner} USING (true)"
    yield _FUNCTION.format(
        **(_OWNER if by_owner else dict.fromkeys(_OWNER, "")),
        schema=schema,
        table=table,
        tenant=TENANT_IS_CURRENT.removeprefix("tenant_id = "),
        newest_first="ORDER BY created_at DESC, id DESC",
        sample=_SAMPLE,
        dearer=_DEARER,
        roots_filter="\n        AND merged_into IS NULL" if of_roots else "",
    )
    yield f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {name} TO {login_role(schema)}"


_MERGED_SIGNATURE = "text[], boolean, integer"
_MERGED_FUNCTION = """
CREATE OR REPLACE FUNCTION {schema}.search_merged(
    patterns text[], by_names boolean, at_most integer
) RETURNS SETOF uuid
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $function$
DECLARE
    current_tenant CONSTANT uuid := {tenant};
    matching text;
    found integer;
BEGIN
    SELECT string_agg(format('search_key LIKE %L', pattern), ' AND ')
    INTO STRICT matching FROM unnest(patterns) AS pattern;
    IF by_names THEN
        matching := matching || ' AND concat('' '', name_key, '' '', lower(code), '' '')
            LIKE ALL ($3)';
    END IF;
    -- Any of them: in an order, all would have to be fetched that are called Nguyễn. What many are
    -- called is met at once; the index is for the others.
    RETURN QUERY EXECUTE 'SELECT merged_into FROM (
            SELECT * FROM {table} WHERE tenant_id = $1 AND merged_into IS NOT NULL
            ORDER BY merged_into LIMIT {sample}
        ) sample WHERE ' || matching || ' LIMIT $2'
        USING current_tenant, at_most, patterns;
    GET DIAGNOSTICS found = ROW_COUNT;
    IF found >= at_most THEN
        RETURN;
    END IF;
    RETURN QUERY EXECUTE 'SELECT merged_into FROM {table}
        WHERE tenant_id = $1 AND merged_into IS NOT NULL AND ' || matching || ' LIMIT $2'
        USING current_tenant, at_most, patterns;
END
$function$
"""


def search_merged_function(schema: str = "customer") -> Iterator[str]:
    """Statements that create `search_merged`: who stands for merged records that match.

    With `by_names`, those of whom a name or the code matches. It runs as `search_customers` does,
    and for the same reasons.
    """
    name = f"{schema}.search_merged({_MERGED_SIGNATURE})"
    yield _MERGED_FUNCTION.format(
        schema=schema,
        table=f"{schema}.customer",
        tenant=TENANT_IS_CURRENT.removeprefix("tenant_id = "),
        sample=_SAMPLE,
    )
    yield f"REVOKE ALL ON FUNCTION {name} FROM PUBLIC"
    yield f"GRANT EXECUTE ON FUNCTION {name} TO {login_role(schema)}"
