"""No table holds something of people without it being said how that is found, told and erased."""

import re

import pytest
from sqlalchemy import LargeBinary, Table
from sqlalchemy.dialects.postgresql import JSONB

from shared.privacy.registry import Impersonal, Personal, declared
from tests.architecture.parts import ALL_TABLES
from tests.architecture.sources import sources

TELLING = re.compile(
    r"(^|_)(e?mail|phone|mobile|address|street|ward|birth_date|client_ip|user_agent|ip|name|title"
    r"|text|body|note|comment|subject|reason|content|plan|place|referrer|recipient)$"
)
# What looks like it and is a code or a figure; each with its reason.
CODES = {
    "customer.referral.reason": "a code: why it was refused",
    "messaging.message.reason": "a code: why it was not sent",
    "messaging.suppression.reason": "a code: why nothing is sent there",
    "segmentation.membership.reason": "a code: what led to it",
    "segmentation.membership_change.reason": "a code: what led to it",
    "support_ticket.ticket_episode.reason": "a code: opened or reopened",
    "customer.order_line.title": "what was bought",
}

each_table = pytest.mark.parametrize("table", ALL_TABLES, ids=lambda table: table.fullname)


@each_table
def test_every_table_says_what_it_holds_of_people(table: Table):
    assert declared(table) is not None, (
        f"{table.fullname}: say beside the table how a person's rows are found and erased, "
        "`personal(...)`, or why there is nothing of people in it, `impersonal(...)`; "
        "see shared/privacy/registry.py and docs/privacy.md"
    )


def test_who_goes_through_all_tables_has_them_from_where_all_are():
    """A worker imports what it works with: of a slice that only answers it knows no tables."""
    partly = [
        f"{source.path}:{line}"
        for source in sources()
        for line, module, name in source.imports
        if name == "metadata"
        and module.endswith(".models")
        and source.role not in {"models", "schema"}
    ]
    assert partly == [], "import the metadata from the part's schema.py"


@each_table
def test_what_names_a_customer_is_personal(table: Table):
    if "customer_id" in table.c and table.name != "erased_customer":
        found = declared(table)
        goes_by_itself = isinstance(found, Impersonal) and found.passing
        assert goes_by_itself or isinstance(found, Personal), f"{table.fullname} names customers"


@each_table
def test_what_looks_personal_is_erased_or_kept_for_a_reason(table: Table):
    found = declared(table)
    if not isinstance(found, Personal) or found.erase == "row":
        return
    telling = {
        column.name
        for column in table.columns
        if TELLING.search(column.name) or isinstance(column.type, JSONB)
    }
    seen_to = {*found.erase, *found.kept}
    codes = {name for name in telling if f"{table.fullname}.{name}" in CODES}
    assert telling - seen_to - codes == set(), (
        f"{table.fullname}: erase these columns, or say in `kept` why they stay"
    )


@each_table
def test_what_a_person_is_told_can_be_written_as_json(table: Table):
    found = declared(table)
    if not isinstance(found, Personal):
        return
    binary = {column.name for column in table.columns if isinstance(column.type, LargeBinary)}
    assert binary <= found.hidden, f"{table.fullname}: name these columns in `hidden`"


@each_table
def test_an_index_finds_the_rows_of_a_person(table: Table):
    found = declared(table)
    if not isinstance(found, Personal):
        return
    indexed = {
        tuple(getattr(column, "name", "") for column in columns)[:2]
        for columns in (
            table.primary_key.columns,
            *(index.expressions for index in table.indexes),
        )
    }
    for key in found.rows.keys:
        assert ("tenant_id", key) in indexed, f"{table.fullname} has no index that begins with it"


def test_every_reason_is_needed():
    named = {f"{table.fullname}.{column.name}" for table in ALL_TABLES for column in table.columns}
    assert CODES.keys() - named == set()


def test_forgetting_a_table_is_seen():
    assert any(isinstance(declared(table), Personal) for table in ALL_TABLES)
    assert any(isinstance(declared(table), Impersonal) for table in ALL_TABLES)
    assert all(map(TELLING.search, ("note", "contact_email", "client_ip", "sender_name")))
