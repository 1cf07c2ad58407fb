"""Which forms a person has sent: theirs, and those of nobody with an address of theirs in it.

What is kept aside as odd is nobody's for as long as staff have not accepted it, and may be a
person's all the same.
"""

from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    Integer,
    ScalarSelect,
    Table,
    Text,
    Uuid,
    any_,
    bindparam,
    column,
    func,
    or_,
    select,
    true,
)

from shared.privacy.registry import Rows

# Of a number that says whose it is, and of any (ITU-T E.164).
_FEWEST_DIGITS, _MOST_DIGITS = 7, 15

_IDS: Final = bindparam("customer_ids", type_=ARRAY(Uuid))
_EMAILS: Final = bindparam("emails", type_=ARRAY(Text))
_PHONES: Final = bindparam("phones", type_=ARRAY(Text))


def sent_by_person(table: Table) -> Rows:
    """Rows of `customer_id`, and those of nobody in which one of their addresses was entered.

    A number was entered as people write it, with the code of its country or without: its digits,
    but for leading zeros, are what the person's number ends with.
    """
    email = func.lower(table.c.entered["email"].astext)
    digits = func.regexp_replace(table.c.entered["phone"].astext, r"\D", "", "g")
    entered = or_(
        email == any_(_EMAILS),
        func.ltrim(digits, "0") == any_(func.array(_endings())),
    )
    own = table.c.customer_id == func.any(_IDS)
    condition = or_(own, table.c.customer_id.is_(None) & entered)
    return Rows(condition, ("customer_id",), by_address=True, own=own)


def _endings() -> ScalarSelect[Any]:
    """What their numbers end with, whole or without what nobody writes at home."""
    phones = func.unnest(_PHONES).table_valued(column("e164", Text)).render_derived(name="phone")
    lengths = func.generate_series(_FEWEST_DIGITS, _MOST_DIGITS).table_valued(column("n", Integer))
    lengths = lengths.render_derived(name="length")
    ending = func.right(func.ltrim(phones.c.e164, "+"), lengths.c.n)
    return select(ending).select_from(phones).join(lengths, true()).scalar_subquery()
