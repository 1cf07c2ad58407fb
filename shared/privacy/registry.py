"""What is personal in each table: how it is found, told, and erased. Declared beside the table.

    personal(note, erase="row")
    personal(interaction, erase={"text": None})
    personal(message, of=belonging_to(ticket, "ticket_id"), erase={"body": ERASED})
    impersonal(voucher, "the shop's own offers")

What is erased from a row is given column by column, so that its figures stay and reports with
them; `"row"` deletes it. A column that looks personal and stays needs its reason in `kept`.
`tests/architecture/test_personal_tables.py` finds the tables that were forgotten.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    MetaData,
    Table,
    Text,
    Uuid,
    bindparam,
    exists,
    func,
    or_,
)
from sqlalchemy import select as select_from

ERASED: Final = "[erased]"
"""Stands where a text must be."""

_INFO: Final = "personal"
_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("customer_ids", type_=ARRAY(Uuid))
_EMAILS: Final = bindparam("emails", type_=ARRAY(Text))
_PHONES: Final = bindparam("phones", type_=ARRAY(Text))

How = Literal["deleted", "anonymised", "kept"]


@dataclass(frozen=True, slots=True)
class Rows:
    """The rows of people: a condition, and the columns that an index has to serve."""

    condition: ColumnElement[bool]
    keys: tuple[str, ...]
    by_address: bool = False
    own: ColumnElement[bool] | None = None
    """Where some are found by address: those that name a person themselves."""


Finder = Callable[[Table], Rows]
Condition = Callable[[Table], ColumnElement[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Personal:
    """What is personal in one table."""

    table: Table
    rows: Rows
    erase: Mapping[str, Any] | Literal["row"]
    kept: Mapping[str, str] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    told: ColumnElement[bool] | None = None
    """Which of the rows a person may have a copy of; None for all."""

    @property
    def how(self) -> How:
        """What an erasure does to the rows."""
        if self.erase == "row":
            return "deleted"
        return "anonymised" if self.erase else "kept"


@dataclass(frozen=True, slots=True)
class Impersonal:
    """Why nothing in a table is about a customer, or who else sees to it."""

    why: str
    passing: bool = False
    """It is, and its rows are gone by themselves within hours."""


def owned_by(*columns: str) -> Finder:
    """Rows that name a customer in any of these columns."""

    def found(table: Table) -> Rows:
        conditions = [table.c[name] == func.any(_IDS) for name in columns]
        return Rows(or_(*conditions), columns)

    return found


def addressed_to(*, email: str | None = None, phone: str | None = None) -> Finder:
    """Rows of `customer_id`, and those of nobody that have one of the person's addresses."""

    def found(table: Table) -> Rows:
        of_nobody = table.c.customer_id.is_(None)
        conditions = [table.c.customer_id == func.any(_IDS)]
        if email is not None:
            conditions.append(of_nobody & (table.c[email] == func.any(_EMAILS)))
        if phone is not None:
            conditions.append(of_nobody & (table.c[phone] == func.any(_PHONES)))
        keys = tuple(name for name in ("customer_id", email, phone) if name is not None)
        return Rows(or_(*conditions), keys, by_address=True)

    return found


def belonging_to(parent: Table, column: str, *, parent_column: str = "id") -> Finder:
    """Rows that point at a person's rows of another table, which was declared before."""

    def found(table: Table) -> Rows:
        theirs = declared(parent)
        assert isinstance(theirs, Personal)  # noqa: S101  (a promise of the docstring)
        ids = select_from(parent.c[parent_column]).where(
            parent.c.tenant_id == _TENANT, theirs.rows.condition
        )
        return Rows(table.c[column].in_(ids), (column,), theirs.rows.by_address)

    return found


def naming_nobody_else(names: Table, column: str) -> Condition:
    """Rows of which another table, that points at them, names the person's records only."""

    def found(table: Table) -> ColumnElement[bool]:
        others = exists().where(
            names.c.tenant_id == table.c.tenant_id,
            names.c[column] == table.c.id,
            names.c.customer_id != func.all(_IDS),
        )
        return ~others

    return found


def personal(
    table: Table,
    *,
    of: Finder | None = None,
    erase: Mapping[str, Any] | Literal["row"],
    kept: Mapping[str, str] | None = None,
    hidden: Iterable[str] = (),
    told: Condition | None = None,
) -> None:
    """Declare a table that holds data of people, by default of `customer_id`.

    `hidden` columns are not told to the person: secrets of ours. Where a row may be about others
    as well, `told` says of which ones a person gets a copy.
    """
    find = of or owned_by("customer_id")
    table.info[_INFO] = Personal(
        table=table,
        rows=find(table),
        erase=erase,
        kept=dict(kept or {}),
        hidden=frozenset(hidden),
        told=told(table) if told is not None else None,
    )


def impersonal(table: Table, why: str) -> None:
    """Declare a table in which there is nothing of a customer, or that is seen to otherwise."""
    table.info[_INFO] = Impersonal(why)


def passing(table: Table, why: str) -> None:
    """Declare a table whose rows are gone by themselves within hours, of whomever they are."""
    table.info[_INFO] = Impersonal(why, passing=True)


def declared(table: Table) -> Personal | Impersonal | None:
    """What was declared of a table; None when it was forgotten."""
    found: Personal | Impersonal | None = table.info.get(_INFO)
    return found


def personal_tables(metadata: MetaData) -> list[Personal]:
    """The tables of a part that hold data of people; what points at others comes first."""
    found = [declared(table) for table in reversed(metadata.sorted_tables)]
    return [each for each in found if isinstance(each, Personal)]
