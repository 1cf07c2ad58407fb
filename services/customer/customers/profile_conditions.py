"""What lists may ask of the profile, as SQL. No index leads there: a page walks.

An index on members of JSON would serve nobody: under row-level security only what is leakproof
may be looked up before the policy has passed a row, and `->>` is not.
"""

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Integer,
    Numeric,
    Text,
    and_,
    bindparam,
    cast,
    literal_column,
)

from services.customer.customers.models import customer


def _member(document: Any, name: str) -> Any:
    return document[literal_column(f"'{name}'", Text)]


def _text(document: Any, name: str) -> ColumnElement[Any]:
    found: ColumnElement[Any] = _member(document, name).astext
    return found


_profile: Final = customer.c.profile
_address: Final = _member(_profile, "address")
_income: Final = _member(_profile, "income_band")

ONE_OF: Final[Mapping[str, ColumnElement[Any]]] = {
    **{
        name: _text(_profile, name)
        for name in ("occupation", "position", "preferred_channel", "tax_code")
    },
    "rating": cast(_text(_profile, "rating"), Integer),
    "vn63_province": _text(_address, "vn63_province_code"),
    "vn34_province": _text(_address, "vn34_province_code"),
}
"""Single values."""


def _income_is(name: str, bound: str) -> ColumnElement[bool]:
    """Amounts are kept in major units, with the currency beside them."""
    amount = cast(_text(_income, bound), Numeric)
    asked = bindparam(name, type_=Numeric)
    same = _text(_income, "currency") == bindparam("income_currency", type_=Text)
    return and_(same, amount >= asked if name.endswith("_gte") else amount <= asked)


INCOME: Final[Mapping[str, ColumnElement[bool]]] = {
    "income_at_least_gte": _income_is("income_at_least_gte", "at_least"),
    "income_below_lte": _income_is("income_below_lte", "below"),
}
"""Who earns surely so much, or surely less, in the currency `income_currency`."""

PREFERENCES: Final = _member(_profile, "preferences").has_any(
    bindparam("preferences", type_=ARRAY(Text))
)
"""Who likes one of these."""
