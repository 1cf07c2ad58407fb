"""Migrations lose nothing, can be undone, and leave the release before working."""

import os
import re

import pytest

from migrations.runner import contract_revisions, history, unnoticed_revisions
from shared.settings import SCHEMAS
from tests.migrations.expand_contract import BASELINE, released, violations
from tests.migrations.history import empty_history
from tests.migrations.rows import Filler, digests
from tests.support.servers import create_database

_MOVES = re.compile(r"\s*(UPDATE|DELETE FROM)\s+(?P<table>[\w.]+)")
each_schema = pytest.mark.parametrize("schema", SCHEMAS)


def unreleased(schema: str) -> list[str]:
    revisions = history(schema)
    return revisions[len(released(schema, revisions)) :]


@each_schema
async def test_each_migration_goes_up_down_and_up_on_full_tables(
    schema: str, worker_number: int, root_key: str
):
    """No row is lost on the way, and nothing on it disturbs the release before."""
    server, name = os.environ["CARELOOP_TEST_POSTGRES"], f"walk_{schema}_{worker_number}"
    url = await create_database(server, name, template="template0")
    async with empty_history(url, schema, root_key=root_key) as walk:
        filler, before = Filler(schema), "base"
        tables, kept, shapes = {}, {}, []
        for revision in walk.revisions:
            check(schema, revision, await walk.go_to(revision))
            assert unreached(await walk.go_to(before)) == [], revision
            await walk.go_to(revision)
            assert await digests(walk.engine, schema, tables) == kept, revision
            # Of a table that is as it was the rows of the last time are as good.
            shapes, shapes_before = await filler.shapes(walk.engine), shapes
            if shapes != shapes_before:
                changed = {shape.name for shape in shapes if shape not in shapes_before}
                tables = await filler.fill(walk.engine, only=changed)
                kept = await digests(walk.engine, schema, tables)
            before = revision
        # And down again with everything in it.
        await walk.go_to("base")
        assert await filler.fill(walk.engine) == {}
        await walk.go_to(walk.revisions[-1])


def check(schema: str, revision: str, statements: list[str]) -> None:
    """Fails when the release before could not go on during or after these statements."""
    excused = contract_revisions(schema) | unnoticed_revisions(schema)
    if revision in unreleased(schema) and revision not in excused:
        assert violations(schema, statements) == [], revision
    online = [one for one in statements if "CONCURRENTLY" in one]
    assert online in ([], statements), f"{revision}: built online, so it stands alone"


def unreached(statements: list[str]) -> list[str]:
    """Statements about rows that find none: the wall between tenants stands before them."""
    found = [(each, _MOVES.match(each)) for each in statements]
    open_ = {each.split()[2] for each in statements if "NO FORCE ROW LEVEL SECURITY" in each}
    return [each for each, moves in found if moves and moves["table"] not in open_]


@each_schema
async def test_what_goes_back_takes_the_rows_along_that_were_not_possible_before(
    schema: str, worker_number: int, root_key: str
):
    """In every table that a step back moves rows of, as many as a table has ways to be filled."""
    server, name = os.environ["CARELOOP_TEST_POSTGRES"], f"back_{schema}_{worker_number}"
    url = await create_database(server, name, template="template0")
    async with empty_history(url, schema, root_key=root_key) as walk:
        await walk.go_to(walk.revisions[-1])
        await Filler(schema).fill(walk.engine, tenants=10)
        await walk.go_to("base")


@each_schema
def test_what_takes_away_comes_a_release_after_the_last_use(schema: str):
    """A contract migration is the release's first or follows another: what it removes was not
    used any more by the release before."""
    taking_away = contract_revisions(schema)
    kinds = [revision in taking_away for revision in unreleased(schema)]
    assert kinds == sorted(kinds, reverse=True)


@each_schema
def test_the_last_release_is_in_the_history(schema: str):
    assert BASELINE["revisions"][schema] in history(schema)


@pytest.mark.parametrize(
    ("statement", "rule"),
    [
        ("ALTER TABLE customer.customer DROP COLUMN name", "ban-drop-column"),
        ("ALTER TABLE customer.customer RENAME COLUMN name TO title", "renaming-column"),
        ("ALTER TABLE customer.customer RENAME TO person", "renaming-table"),
        ("DROP TABLE customer.customer", "ban-drop-table"),
        ("ALTER TABLE customer.customer ALTER COLUMN name TYPE BIGINT", "changing-column-type"),
        ("ALTER TABLE customer.customer ADD COLUMN a TEXT NOT NULL", "adding-required-field"),
        ("ALTER TABLE customer.customer ALTER COLUMN a SET NOT NULL", "adding-not-nullable-field"),
        ("ALTER TABLE customer.job ALTER COLUMN a DROP DEFAULT", "ban-drop-default"),
        ("CREATE INDEX a ON customer.customer (a)", "require-concurrent-index-creation"),
        (
            "ALTER TABLE customer.customer ADD CONSTRAINT ck_a CHECK (a > 0)",
            "constraint-missing-not-valid",
        ),
        ("ALTER TABLE customer.customer DROP CONSTRAINT uq_customer_code", "drops-a-constraint"),
        ("DROP POLICY tenant ON customer.customer", "drops-a-policy"),
        ("DROP INDEX customer.ix_customer_name", "drops-an-index"),
        ("REVOKE SELECT ON customer.customer FROM careloop_customer", "revokes"),
        ("UPDATE customer.customer SET a = 1", "moves-data"),
    ],
)
def test_what_breaks_the_release_before_is_found(statement: str, rule: str):
    assert rule in {each.rule for each in violations("customer", [statement])}


@pytest.mark.parametrize(
    "statements",
    [
        ["ALTER TABLE customer.customer ADD COLUMN a TEXT"],
        ["ALTER TABLE customer.customer ADD COLUMN a TEXT DEFAULT 'x' NOT NULL"],
        ["CREATE INDEX CONCURRENTLY a ON customer.customer (a)"],
        ["CREATE INDEX a ON customer.job (a)"],
        ["CREATE TABLE customer.n (id UUID NOT NULL)", "CREATE INDEX a ON customer.n (id)"],
        [
            "ALTER TABLE customer.customer DROP CONSTRAINT ck_customer_kind",
            "ALTER TABLE customer.customer ADD CONSTRAINT ck_customer_kind CHECK (a) NOT VALID",
        ],
    ],
)
def test_what_it_does_not_notice_passes(statements: list[str]):
    assert violations("customer", statements) == []
