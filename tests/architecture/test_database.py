"""What the migrated database really is, whatever the code says."""

import pytest
from alembic import command
from alembic.util import CommandError
from sqlalchemy import Connection, text
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from migrations.environment import owner_role
from migrations.runner import alembic_config
from shared.ids import TenantId, new_id
from shared.settings import SCHEMAS, login_role, part_database_url
from tests.architecture.parts import tables_of

TABLES = text(
    """
    SELECT c.relname AS name, c.relrowsecurity AS enabled, c.relforcerowsecurity AS forced,
           pg_get_userbyid(c.relowner) AS owner, array_agg(p.polname::text) AS policies
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    LEFT JOIN pg_policy p ON p.polrelid = c.oid
    WHERE n.nspname = :schema AND c.relkind IN ('r', 'p') AND c.relname <> 'alembic_version'
    GROUP BY c.oid
    """
)
POLICY = text(
    """
    SELECT polcmd::text, polroles = ARRAY[CAST(CAST(:role AS regrole) AS oid)] AS ours,
           pg_get_expr(polqual, polrelid) AS visible,
           pg_get_expr(polwithcheck, polrelid) AS writable
    FROM pg_policy WHERE polrelid = CAST(:table AS regclass) AND polname = 'tenant'
    """
)
POLICIES_OF = text(
    """
    SELECT polname FROM pg_policy
    WHERE polrelid = CAST(:table AS regclass)
      AND (CAST(:role AS regrole) = ANY(polroles) OR 0 = ANY(polroles))
    """
)
INDEXES = text(
    """
    SELECT c.relname AS name, a.attname AS first
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    JOIN pg_class t ON t.oid = i.indrelid JOIN pg_namespace n ON n.oid = t.relnamespace
    LEFT JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = i.indkey[0]
    WHERE n.nspname = :schema AND t.relname <> 'alembic_version'
    """
)
FOREIGN_KEYS = text(
    """
    SELECT k.conname FROM pg_constraint k
    JOIN pg_class t ON t.oid = k.conrelid JOIN pg_class r ON r.oid = k.confrelid
    WHERE k.contype = 'f' AND t.relnamespace <> r.relnamespace
    """
)
TRIGGERS = text("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal")
TYPES = text(
    """
    SELECT t.typname FROM pg_type t JOIN pg_namespace n ON n.oid = t.typnamespace
    WHERE n.nspname = ANY(:schemas) AND t.typtype IN ('e', 'd')
    """
)
ROLE = text(
    "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles WHERE rolname = :role"
)
DEFINERS = text(
    """
    SELECT p.proname, p.proconfig, pg_get_userbyid(p.proowner) AS owner,
           has_function_privilege('public', p.oid, 'EXECUTE') AS open
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = :schema AND p.prosecdef
    """
)

each_schema = pytest.mark.parametrize("schema", SCHEMAS)


@pytest.fixture(scope="module")
async def admin(database_url: str):
    """The administrator, whom no policy holds back."""
    engine = create_async_engine(database_url, poolclass=NullPool)
    yield engine
    await engine.dispose()


async def rows_of(engine: AsyncEngine, statement, **parameters):
    async with engine.connect() as connection:
        return (await connection.execute(statement, parameters)).all()


async def as_part(database_url: str, root_key: str, schema: str) -> AsyncEngine:
    url = part_database_url(schema, admin_url=database_url, root_key=root_key)
    return create_async_engine(url, poolclass=NullPool)


@each_schema
async def test_the_models_are_what_the_migrations_make(admin: AsyncEngine, schema: str):
    def check(connection: Connection) -> None:
        connection.execute(text(f"SET LOCAL ROLE {owner_role(schema)}"))
        command.check(alembic_config(schema, connection))

    async with admin.connect() as connection:
        try:
            await connection.run_sync(check)
        except CommandError as error:
            pytest.fail(str(error))


@each_schema
async def test_every_table_is_walled_in(admin: AsyncEngine, schema: str):
    found = {row.name: row for row in await rows_of(admin, TABLES, schema=schema)}
    assert set(found) == {table.name for table in tables_of(schema)}
    for name, row in found.items():
        assert row.enabled, name
        assert row.forced, name
        assert "tenant" in row.policies, name
        assert row.owner == owner_role(schema), name


@each_schema
async def test_the_wall_is_the_tenant_for_reading_and_for_writing(admin: AsyncEngine, schema: str):
    for table in tables_of(schema):
        parameters = {"table": table.fullname, "role": login_role(schema)}
        [policy] = await rows_of(admin, POLICY, **parameters)
        assert policy.polcmd == "*", table
        assert policy.ours, table
        assert "tenant_id = " in policy.visible, table
        assert "careloop.tenant" in policy.visible, table
        assert policy.writable == policy.visible, table
        # Policies add up: a second one for the login role would be a hole in the wall.
        names = [row.polname for row in await rows_of(admin, POLICIES_OF, **parameters)]
        assert names == ["tenant"], table


@each_schema
async def test_without_a_tenant_nothing_is_seen(
    admin: AsyncEngine, database_url: str, root_key: str, schema: str
):
    """The tables hold rows of every test of this run; the foundation's at least of this one."""
    part = await as_part(database_url, root_key, schema)
    tenant = TenantId(new_id())
    async with admin.begin() as connection:
        await connection.execute(
            text(f"INSERT INTO {schema}.code_counter VALUES (:tenant, 'wall', 1)"),
            {"tenant": tenant},
        )
    try:
        for table in tables_of(schema):
            [(count,)] = await rows_of(part, text(f"SELECT count(*) FROM {table.fullname}"))
            assert count == 0, table
        async with part.connect() as connection:
            await connection.execute(text(f"SELECT {schema}.set_tenant(:t)"), {"t": new_id()})
            seen = text(f"SELECT count(*) FROM {schema}.code_counter")
            assert (await connection.execute(seen)).scalar() == 0
            await connection.execute(text(f"SELECT {schema}.set_tenant(:t)"), {"t": tenant})
            assert (await connection.execute(seen)).scalar() == 1
            await connection.rollback()
            # The choice ends with its transaction, also for the next user of the connection.
            assert (await connection.execute(seen)).scalar() == 0
    finally:
        await part.dispose()


@each_schema
async def test_a_part_cannot_leave_its_schema(database_url: str, root_key: str, schema: str):
    part = await as_part(database_url, root_key, schema)
    try:
        for other in SCHEMAS:
            statement = text(f"SELECT count(*) FROM {other}.outbox")
            if other == schema:
                await rows_of(part, statement)
            else:
                with pytest.raises(ProgrammingError, match="permission denied"):
                    await rows_of(part, statement)
    finally:
        await part.dispose()


@each_schema
async def test_the_login_role_can_do_nothing_but_use_its_tables(admin: AsyncEngine, schema: str):
    [role] = await rows_of(admin, ROLE, role=login_role(schema))
    assert tuple(role) == (False, False, False, True)
    [owner] = await rows_of(admin, ROLE, role=owner_role(schema))
    assert tuple(owner) == (False, False, False, False)


@each_schema
async def test_every_index_begins_with_the_tenant(admin: AsyncEngine, schema: str):
    found = [
        row.name for row in await rows_of(admin, INDEXES, schema=schema) if row.first != "tenant_id"
    ]
    assert found == []


@each_schema
async def test_functions_that_run_as_the_owner_are_closed(admin: AsyncEngine, schema: str):
    """They see every tenant: nobody but the part may call them, and no search path fools them."""
    for function in await rows_of(admin, DEFINERS, schema=schema):
        assert function.owner == owner_role(schema), function.proname
        assert not function.open, function.proname
        settings = function.proconfig or ()
        assert any(one.startswith("search_path=") for one in settings), function.proname


async def test_nothing_ties_two_schemas_together(admin: AsyncEngine):
    assert await rows_of(admin, FOREIGN_KEYS) == []


async def test_there_are_no_triggers_and_no_types_of_our_own(admin: AsyncEngine):
    assert await rows_of(admin, TYPES, schemas=list(SCHEMAS)) == []
    assert [row for row in await rows_of(admin, TRIGGERS) if row.tgname != "trouble"] == []
