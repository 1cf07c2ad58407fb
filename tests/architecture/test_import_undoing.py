"""An import that is taken back empties nobody with whom somebody has worked since."""

import pytest
from sqlalchemy import Table

from services.customer.imports.busy_repository import NO_WORK, WORK
from services.customer.models import metadata
from shared.privacy.registry import Personal, declared
from tests.architecture.parts import ALL_TABLES

WORK_NAMES = {str(getattr(table, "name", "")) for table in WORK}
TABLES = [table for table in ALL_TABLES if table.metadata is metadata]


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.name)
def test_it_is_said_of_every_table_whether_it_tells_of_work_with_a_customer(table: Table) -> None:
    if "customer_id" not in table.c and not isinstance(declared(table), Personal):
        return
    assert (table.name in WORK_NAMES) != (table.name in NO_WORK), (
        f"{table.name}: say in imports/busy_repository.py what somebody leaves of a customer here, "
        "or why that needs not be looked for when an import is taken back"
    )


def test_no_table_is_named_that_is_not_there() -> None:
    names = {table.name for table in TABLES}
    assert names >= WORK_NAMES | NO_WORK.keys()
