"""What the catalogue of the migrated database says about the way to several machines.

`test_database.py` checks the walls between tenants and between parts; this, that tables can be
shared out by tenant. Every query looks for what must not be there.
"""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection, create_async_engine
from sqlalchemy.pool import NullPool

from shared.settings import SCHEMAS

# Tables of Alembic: they belong to the database, not to a tenant.
_OURS = "n.nspname = ANY(:schemas) AND c.relname <> 'alembic_version'"

FAULTS = {
    "16: a primary or unique key that does not begin with the tenant": f"""
        SELECT k.conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.conkey[1]
        WHERE {_OURS} AND k.contype IN ('p', 'u') AND a.attname <> 'tenant_id'
    """,
    "16: a table without a primary key": f"""
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND c.relkind IN ('r', 'p') AND NOT EXISTS (
            SELECT 1 FROM pg_constraint k WHERE k.conrelid = c.oid AND k.contype = 'p')
    """,
    "16: a foreign key that does not begin with the tenant on both sides": f"""
        SELECT k.conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = k.conkey[1]
        JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = k.confkey[1]
        WHERE {_OURS} AND k.contype = 'f' AND (a.attname, b.attname) <> ('tenant_id', 'tenant_id')
    """,
    "16: ON DELETE (or UPDATE) SET NULL or SET DEFAULT": f"""
        SELECT k.conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND (k.confdeltype IN ('n', 'd') OR k.confupdtype IN ('n', 'd'))
    """,
    "16: a foreign key into another schema": f"""
        SELECT k.conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        JOIN pg_class r ON r.oid = k.confrelid
        WHERE {_OURS} AND r.relnamespace <> c.relnamespace
    """,
    "16: an exclusion constraint": f"""
        SELECT k.conname FROM pg_constraint k
        JOIN pg_class c ON c.oid = k.conrelid JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND k.contype = 'x'
    """,
    "16: a tenant that is not a uuid, may be null, or has a default": f"""
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        LEFT JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant_id'
        WHERE {_OURS} AND c.relkind IN ('r', 'p')
          AND (a.attnum IS NULL OR NOT a.attnotnull OR a.atthasdef
               OR a.atttypid <> 'uuid'::regtype)
    """,
    "13: a type of our own": """
        SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
        LEFT JOIN pg_class c ON c.oid = t.typrelid
        WHERE n.nspname = ANY(:schemas) AND t.typelem = 0
          AND (t.typtype IN ('e', 'd', 'r', 'm') OR (t.typtype = 'c' AND c.relkind = 'c'))
    """,
    "17: a trigger": f"""
        SELECT g.tgname FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} AND NOT g.tgisinternal
    """,
    "17: a rule, a view or a table that is not an ordinary one": f"""
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE {_OURS} AND (c.relkind IN ('v', 'm', 'f', 'p') OR c.relpersistence <> 'p')
        UNION ALL
        SELECT r.rulename FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
        JOIN pg_namespace n ON n.oid = c.relnamespace WHERE {_OURS} AND c.relkind = 'r'
    """,
    "17: a function in a policy, an index or a default that is not IMMUTABLE": """
        SELECT p.oid::regprocedure::text FROM pg_depend d
        JOIN pg_proc p ON p.oid = d.refobjid JOIN pg_namespace n ON n.oid = p.pronamespace
        WHERE d.refclassid = 'pg_proc'::regclass AND n.nspname = ANY(:schemas)
          AND d.classid IN ('pg_policy'::regclass, 'pg_attrdef'::regclass, 'pg_class'::regclass,
                            'pg_constraint'::regclass)
          AND p.provolatile <> 'i'
    """,
    "17: a function of our own whose names are looked up along a search path": """
        SELECT p.oid::regprocedure::text FROM pg_proc p
        JOIN pg_namespace n ON n.oid = p.pronamespace
        JOIN pg_language l ON l.oid = p.prolang
        WHERE n.nspname = ANY(:schemas) AND p.proname <> 'set_tenant'
          AND NOT coalesce(p.proconfig::text LIKE '%search_path=%', false)
    """,
    "18: a sequence that was made after its table, or is nobody's identity": """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(:schemas) AND c.relkind = 'S' AND NOT EXISTS (
            SELECT 1 FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'i')
    """,
    "19: something that the login role owns": """
        SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
        WHERE n.nspname = ANY(:schemas)
          AND pg_get_userbyid(c.relowner) <> 'careloop_' || n.nspname || '_owner'
    """,
}


@pytest.fixture(scope="module")
async def admin(database_url: str) -> AsyncIterator[AsyncConnection]:
    engine = create_async_engine(database_url, poolclass=NullPool)
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


@pytest.mark.parametrize("fault", FAULTS)
async def test_nothing_keeps_a_table_on_one_machine(admin: AsyncConnection, fault: str):
    found = await admin.execute(text(FAULTS[fault]), {"schemas": list(SCHEMAS)})
    assert [row[0] for row in found] == []


BREAKERS = [
    ("16: a primary", "CREATE TABLE customer.wrong (tenant_id uuid NOT NULL, id uuid PRIMARY KEY)"),
    ("16: a table", "CREATE TABLE customer.wrong (tenant_id uuid NOT NULL, id uuid)"),
    ("16: a foreign key that", ("ALTER TABLE customer.task ADD CONSTRAINT wrong FOREIGN KEY "
     "(id, tenant_id) REFERENCES customer.customer (id, tenant_id) NOT VALID")),
    ("16: ON DELETE", ("ALTER TABLE customer.task ADD CONSTRAINT wrong FOREIGN KEY "
     "(tenant_id, customer_id) REFERENCES customer.customer ON DELETE SET NULL NOT VALID")),
    ("16: a foreign key into", ("ALTER TABLE customer.task ADD CONSTRAINT wrong FOREIGN KEY "
     "(tenant_id, ticket_id) REFERENCES support_ticket.ticket NOT VALID")),
    ("16: a tenant", "ALTER TABLE customer.task ALTER tenant_id SET DEFAULT gen_random_uuid()"),
    ("13: a type", "CREATE TYPE customer.mood AS ENUM ('good', 'bad')"),
    ("17: a trigger", ("CREATE TRIGGER wrong AFTER INSERT ON customer.task EXECUTE FUNCTION "
     "pg_catalog.suppress_redundant_updates_trigger()")),
    ("17: a rule", "CREATE VIEW customer.wrong AS SELECT 1 AS one"),
    ("17: a function in a", ("CREATE POLICY wrong ON customer.task USING "
     "((SELECT count(*) FROM customer.tenants_with_unsent_events()) > 0)")),
    ("17: a function of our", ("CREATE FUNCTION customer.wrong() RETURNS int LANGUAGE sql AS "
     "'SELECT 1'")),
    ("18: a sequence", "CREATE SEQUENCE customer.wrong"),
    ("19: something", "ALTER TABLE customer.task OWNER TO careloop_customer"),
]  # fmt: skip


@pytest.mark.parametrize(("fault", "change"), BREAKERS, ids=[fault for fault, _ in BREAKERS])
async def test_each_look_at_the_catalogue_sees(admin: AsyncConnection, fault: str, change: str):
    [query] = [query for name, query in FAULTS.items() if name.startswith(fault)]
    await admin.execute(text("SET LOCAL lock_timeout = '5s'"))
    if "REFERENCES customer.customer (id" in change:
        await admin.execute(
            text("ALTER TABLE customer.customer ADD CONSTRAINT turned UNIQUE (id, tenant_id)")
        )
    await admin.execute(text(change))
    found = (await admin.execute(text(query), {"schemas": list(SCHEMAS)})).all()
    await admin.rollback()
    assert found, fault
