"""What the role that a service logs in with may do: use its own tables, and nothing else."""

from collections.abc import AsyncIterator

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from migrations.runner import migrate
from shared.db.failures import sqlstate
from shared.settings import SCHEMAS, login_role, part_database_url

PERMISSION_DENIED = "42501"
ATTEMPTS = (
    "SELECT 1 FROM {name} LIMIT 1",
    "INSERT INTO {name} DEFAULT VALUES",
    "UPDATE {name} SET {column} = NULL",
    "DELETE FROM {name}",
    "TRUNCATE {name}",
    "SELECT ctid FROM {name} FOR UPDATE",
)
RELATIONS = text(
    """
    SELECT n.nspname AS schema, c.relname, c.relkind::text AS kind,
           format('%I.%I', n.nspname, c.relname) AS name,
           (SELECT format('%I', a.attname) FROM pg_attribute a
            WHERE a.attrelid = c.oid AND a.attnum > 0 ORDER BY a.attnum LIMIT 1) AS column
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
    """
)
FUNCTIONS = text(
    """
    SELECT n.nspname AS schema, format('%I.%I(%s)', n.nspname, p.proname, coalesce(
        (SELECT string_agg(format('NULL::%s', format_type(t, NULL)), ', ' ORDER BY i)
         FROM unnest(p.proargtypes) WITH ORDINALITY AS arguments(t, i)), '')) AS call
    FROM pg_proc p JOIN pg_namespace n ON n.oid = p.pronamespace
    WHERE n.nspname = ANY(:schemas)
    """
)
ATTRIBUTES = text(
    """
    SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
    FROM pg_roles WHERE rolname = :role
    """
)
MEMBERSHIPS = text(
    "SELECT CAST(CAST(roleid AS regrole) AS text) FROM pg_auth_members"
    " WHERE member = CAST(:role AS regrole)"
)
OWNED = text(
    """
    SELECT CAST(CAST(oid AS regclass) AS text) FROM pg_class WHERE relowner = CAST(:role AS regrole)
    UNION ALL
    SELECT CAST(CAST(oid AS regprocedure) AS text) FROM pg_proc
    WHERE proowner = CAST(:role AS regrole)
    UNION ALL SELECT nspname FROM pg_namespace WHERE nspowner = CAST(:role AS regrole)
    UNION ALL SELECT datname FROM pg_database WHERE datdba = CAST(:role AS regrole)
    """
)
CREATABLE = text(
    """
    SELECT nspname FROM pg_namespace WHERE has_schema_privilege(:role, oid, 'CREATE')
    UNION ALL
    SELECT privilege FROM unnest(ARRAY['CREATE', 'TEMPORARY']) AS privilege
    WHERE has_database_privilege(:role, current_database(), privilege)
    """
)
TOO_MUCH = text(
    """
    SELECT CAST(CAST(c.oid AS regclass) AS text) || ' ' || privilege
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace,
         unnest(ARRAY['TRUNCATE', 'REFERENCES', 'TRIGGER', 'SELECT WITH GRANT OPTION']) privilege
    WHERE n.nspname = ANY(:schemas) AND c.relkind IN ('r', 'p')
      AND has_table_privilege(:role, c.oid, privilege)
    """
)

each_schema = pytest.mark.parametrize("schema", SCHEMAS)


@pytest.fixture(scope="module", autouse=True)
async def started(database_url: str, root_key: str) -> None:
    """The database as every start leaves it: rights on a database itself are not copied with it."""
    await migrate(database_url, root_key=root_key)


@pytest.fixture
async def part(
    database_url: str, root_key: str, request: pytest.FixtureRequest
) -> AsyncIterator[AsyncConnection]:
    """A connection of the role that the schema's service logs in with."""
    schema = request.node.callspec.params["schema"]
    url = part_database_url(schema, admin_url=database_url, root_key=root_key)
    engine = create_async_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        yield connection
    await engine.dispose()


async def refused(connection: AsyncConnection, statement: str) -> bool:
    """Whether the server says that the role may not."""
    try:
        await connection.execute(text(statement))
    except DBAPIError as error:
        return sqlstate(error) == PERMISSION_DENIED
    return False


@pytest.mark.capability(28)
@each_schema
async def test_no_table_of_another_schema_can_be_touched(
    admin: AsyncEngine, part: AsyncConnection, schema: str
) -> None:
    async with admin.connect() as connection:
        found = (await connection.execute(RELATIONS, {"schemas": list(SCHEMAS)})).all()
    others = [relation for relation in found if relation.schema != schema]
    assert len(others) > 60
    allowed = [
        attempt
        for relation in others
        for template in ATTEMPTS
        if not await refused(
            part, attempt := template.format(name=relation.name, column=relation.column)
        )
    ]
    assert allowed == []


@each_schema
async def test_no_function_of_another_schema_can_be_called(
    admin: AsyncEngine, part: AsyncConnection, schema: str
) -> None:
    async with admin.connect() as connection:
        found = (await connection.execute(FUNCTIONS, {"schemas": list(SCHEMAS)})).all()
    others = [function.call for function in found if function.schema != schema]
    assert len(others) >= 4 * 4
    assert [call for call in others if not await refused(part, f"SELECT {call}")] == []


@each_schema
async def test_the_history_of_ones_own_schema_is_not_ones_own(
    part: AsyncConnection, schema: str
) -> None:
    assert await refused(part, f"SELECT 1 FROM {schema}.alembic_version")
    assert await refused(part, f"SET ROLE careloop_{schema}_owner")


@each_schema
async def test_a_role_has_no_dangerous_right(admin: AsyncEngine, schema: str) -> None:
    role = {"role": login_role(schema)}
    async with admin.connect() as connection:
        [attributes] = (await connection.execute(ATTRIBUTES, role)).all()
        assert tuple(attributes) == (False,) * 5
        for question in (MEMBERSHIPS, OWNED, CREATABLE):
            assert (await connection.execute(question, role)).scalars().all() == [], question
        everywhere = {**role, "schemas": list(SCHEMAS)}
        assert (await connection.execute(TOO_MUCH, everywhere)).scalars().all() == []
