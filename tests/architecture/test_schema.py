"""What each table must be for the data to be shared out by tenant, read off the models."""

import pytest
from sqlalchemy import Enum, Float, PrimaryKeyConstraint, Table, UniqueConstraint
from sqlalchemy.dialects.postgresql import DOMAIN, TIMESTAMP

from shared.db.tables import part_tables
from shared.settings import SCHEMAS
from tests.architecture.parts import ALL_TABLES, metadata_of, tables_of

# Tables that know no tenant; each with its reason.
WITHOUT_TENANT: dict[str, str] = {}
# Indexes that do not begin with the tenant; each with its reason.
FREE_INDEXES: dict[str, str] = {}

each_table = pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.fullname)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_every_part_has_the_foundation_and_tables_of_its_own(schema: str):
    foundation = part_tables(schema)
    names = {table.name for table in tables_of(schema)}
    assert set(foundation.__slots__) - {"schema"} < names


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_part_keeps_to_its_schema(schema: str):
    assert {table.schema for table in metadata_of(schema).tables.values()} == {schema}


@each_table
def test_the_tenant_comes_first_in_every_key(table: Table):
    if table.fullname in WITHOUT_TENANT:
        return
    keys = [table.primary_key] + [
        constraint for constraint in table.constraints if isinstance(constraint, UniqueConstraint)
    ]
    for key in keys:
        assert isinstance(key, PrimaryKeyConstraint | UniqueConstraint)
        assert [column.name for column in key.columns][:1] == ["tenant_id"], key.name
    assert not table.c.tenant_id.nullable


@each_table
def test_the_tenant_comes_first_in_every_index(table: Table):
    for index in table.indexes:
        if index.name in FREE_INDEXES:
            continue
        first = next(iter(index.expressions))
        assert getattr(first, "name", None) == "tenant_id", index.name


@each_table
def test_foreign_keys_stay_in_the_tenant_and_in_the_schema(table: Table):
    for key in table.foreign_key_constraints:
        assert next(iter(key.columns)).name == "tenant_id", key.name
        assert key.elements[0].column.name == "tenant_id", key.name
        assert key.referred_table.schema == table.schema
        assert key.ondelete in (None, "CASCADE", "RESTRICT"), key.name


@each_table
def test_column_types_are_the_houses(table: Table):
    for column in table.columns:
        kind = column.type
        assert not isinstance(kind, Enum | DOMAIN), f"{column}: text with a CHECK"
        assert not isinstance(kind, Float), f"{column}: no floats"
        if isinstance(kind, TIMESTAMP):
            assert kind.timezone, f"{column}: times are aware"
        assert column.identity is None, f"{column}: ids are UUIDv7"


@each_table
def test_every_constraint_has_a_name(table: Table):
    unnamed = [constraint for constraint in table.constraints if constraint.name is None]
    assert unnamed == []
