"""The statements of searches for customers, one for each kind of search: each is prepared once.

The matches come from functions of the schema (`search_function`).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import (
    Boolean,
    ColumnElement,
    CompoundSelect,
    Integer,
    Select,
    Subquery,
    Text,
    Uuid,
    all_,
    bindparam,
    case,
    column,
    exists,
    false,
    func,
    literal_column,
    null,
    select,
    table,
    true,
    union,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.colleagues.repository import COLLEAGUES
from services.customer.customers.conditions import conditions_of, in_scope
from services.customer.customers.models import customer, customer_identity
from services.customer.customers.record import COLUMNS
from services.customer.customers.repository import CUSTOMER_COLUMNS
from services.customer.customers.sight import is_seen
from services.customer.fields.filtering import FieldShape
from shared.db.paging import SortKey, keyset, parse_id, parse_instant
from shared.db.tables import Instant

SEARCHED_AT_MOST = 200
FILTERED_AT_MOST = 2000
"""The same when there are conditions that the matches must satisfy, too."""

_SPELT_SO = 10

BEST_FIRST = (
    SortKey(column("rank", Integer), "rank", int, descending=True),
    SortKey(column("created_at", Instant), "created_at", parse_instant, descending=True),
    SortKey(column("id", customer.c.id.type), "id", parse_id, descending=True),
)


# Whose customers are found besides nobody's: everybody's, the viewer's, the viewer's teams'.
_SEEN_BY: dict[bool | None, ColumnElement[Any]] = {
    None: null(),
    False: func.array_append(
        literal_column("'{}'::uuid[]", ARRAY(Uuid)), bindparam("viewer", type_=Uuid)
    ),
    True: COLLEAGUES,
}


# What the function of the schema looks at itself.
LOOKED_AT: Final = frozenset(
    {"stage", "source", "tag", "created_from", "created_until", "owner_id"}
)
_TENANT: Final = bindparam("tenant", type_=Uuid)
_order = table(
    "customer_order",
    column("tenant_id", Uuid),
    column("customer_id", Uuid),
    column("number", Text),
    schema="customer",
)
MOST_CODES: Final = 4
"""In so many ways an order may be numbered that somebody asks for; fewer are said repeatedly.

Of a list whose length a plan for all values does not know it would expect the worst.
"""
_MOST_ELSEWHERE: Final = literal_column("50", Integer)
_record = customer.alias("record")
_root = func.coalesce(_record.c.merged_into, _record.c.id).label("id")
# Who has bought by one of these codes; shops of several platforms number their orders alike.
_buyers: Final = (
    select(_root, true().label("is_meant"))
    .join_from(_order, _record, _record.c.id == _order.c.customer_id)
    .where(
        _order.c.tenant_id == _TENANT,
        _order.c.number.in_([bindparam(f"order_code_{n}", type_=Text) for n in range(MOST_CODES)]),
        _record.c.tenant_id == _TENANT,
    )
    .limit(_MOST_ELSEWHERE)
)
# Who is reached by this, be it by a second number or by that of a record that was merged.
_reached: Final = (
    select(_root, true().label("is_meant"))
    .join_from(customer_identity, _record, _record.c.id == customer_identity.c.customer_id)
    .where(
        customer_identity.c.tenant_id == _TENANT,
        customer_identity.c.kind == bindparam("contact_kind", type_=Text),
        customer_identity.c.scope == literal_column("''", Text),
        customer_identity.c.value == bindparam("contact", type_=Text),
        customer_identity.c.valid_until.is_(None),
        _record.c.tenant_id == _TENANT,
    )
    .limit(_MOST_ELSEWHERE)
)
_merged = (
    func.customer.search_merged(
        bindparam("merged_patterns", type_=ARRAY(Text)),
        bindparam("by_names", type_=Boolean),
        _MOST_ELSEWHERE,
    )
    .table_valued(column("id", Uuid))
    .render_derived(name="merged")
)
_known_before: Final = select(_merged.c.id, false().label("is_meant"))
_of_buyers = select(_buyers.subquery("buyers").c.id)
HAS_BUYERS: Final = select(exists(_of_buyers))
"""Whether anybody has bought by the code that was typed."""


@dataclass(frozen=True, slots=True)
class SearchShape:
    """A search without its values: what has the same shape is the same statement."""

    is_number: bool
    continued: bool
    of_teams: bool | None
    contacts: bool
    names: tuple[str, ...]
    fields: tuple[FieldShape, ...]
    elsewhere: bool
    """Whether somebody was found elsewhere, who is to be among the matches."""

    @property
    def further(self) -> tuple[str, ...]:
        """The conditions that the function of the schema does not look at."""
        return tuple(name for name in self.names if name not in LOOKED_AT)

    @property
    def at_most(self) -> int:
        """How many of the newest matches are looked at."""
        return SEARCHED_AT_MOST if not (self.further or self.fields) else FILTERED_AT_MOST


@lru_cache
def elsewhere_statement(*, by_order: bool, by_contact: bool) -> Select[Any]:
    """Who is found by something that their own record does not have, and whether they are meant.

    Those are who has bought by the code that was typed, or is reached by what was; the others were
    called so before their record was merged into another.
    """
    asked = [_known_before, *([_buyers] if by_order else []), *([_reached] if by_contact else [])]
    found = union_all(*(select(one.subquery()) for one in asked)).subquery("found")
    return select(found.c.id, func.bool_or(found.c.is_meant).label("is_meant")).group_by(found.c.id)


def _matches(patterns: str, *, by_name: bool, of_teams: bool | None) -> Select[Any]:
    """The newest customers seen whose search key matches every pattern of a parameter."""
    found = (
        func.customer.search_customers(
            bindparam(patterns, type_=ARRAY(Text)),
            bindparam("name_begins", type_=Text) if by_name else null(),
            bindparam("names_enough", type_=Integer),
            bindparam("looked_stage", type_=Text),
            bindparam("looked_source", type_=Text),
            bindparam("looked_tag", type_=Text),
            bindparam("looked_created_from", type_=Instant),
            bindparam("looked_created_until", type_=Instant),
            bindparam("at_most", type_=Integer),
            bindparam("looked_owner_id", type_=Uuid),
            _SEEN_BY[of_teams],
        )
        .table_valued(*(column(name, customer.c[name].type) for name in COLUMNS))
        .alias(f"matching_{patterns}")
    )
    return select(*found.c)


def _ranked(matches: Select[Any] | CompoundSelect[Any], shape: SearchShape) -> Select[Any]:
    found = matches.subquery("found")
    key = found.c.search_key if shape.contacts else _key_of_name_and_code(found)
    is_meant = found.c.id == func.any(bindparam("meant", type_=ARRAY(Uuid)))
    matched = case(
        *([(is_meant, 6)] if shape.elsewhere else []),
        (found.c.name_key.like(bindparam("name_begins", type_=Text)), 5),
        (key.like(bindparam("whole", type_=Text)), 4),
        (key.like(bindparam("ending", type_=Text)), 3),
        (key.like(bindparam("beginning", type_=Text)), 2),
        else_=1,
    )
    accents = all_(bindparam("accents", type_=ARRAY(Text)))
    is_spelt_so = found.c.name.op("~", is_comparison=True)(accents)
    rank = matched + case((is_spelt_so, _SPELT_SO), else_=0)
    matching = select(*found.c, rank.label("rank"))
    if not shape.contacts:
        by_key = key.like(all_(bindparam("patterns", type_=ARRAY(Text))))
        matching = matching.where(by_key | _is_elsewhere(found) if shape.elsewhere else by_key)
    ranked = matching.subquery("ranked")
    return select(*ranked.c)


def _is_elsewhere(of: Any) -> ColumnElement[bool]:
    condition: ColumnElement[bool] = of.c.id == func.any(bindparam("elsewhere", type_=ARRAY(Uuid)))
    return condition


def _key_of_name_and_code(found: Subquery) -> ColumnElement[str]:
    """The search key of a customer without what they are reached by."""
    return func.concat(" ", found.c.name_key, " ", func.lower(found.c.code), " ", type_=Text)


@lru_cache(256)
def search_statement(shape: SearchShape) -> Select[Any]:
    """A page of what is found by words, the best match first."""
    by_words = list(_found_by_words(shape))
    words = (by_words[0] if len(by_words) == 1 else union(*by_words)).subquery("by_words")
    of_words = select(*words.c)
    found: Select[Any] | CompoundSelect[Any] = of_words
    if shape.elsewhere:
        # Nobody is in both: to compare all that is known of them would cost more than the search.
        others = _seen(shape, _is_elsewhere(customer))
        found = union_all(of_words.where(~_is_elsewhere(words)), others)
    return keyset(_ranked(found, shape), BEST_FIRST, continued=shape.continued)


@lru_cache(256)
def buyers_statement(shape: SearchShape) -> Select[Any]:
    """A page of who has bought by the code that was typed, each as good a match as the others."""
    of_code = func.array(_of_buyers.scalar_subquery(), type_=ARRAY(Uuid))
    bought = _seen(shape, customer.c.id == func.any(of_code)).subquery("bought")
    rank = literal_column("1", Integer).label("rank")
    ranked = select(*bought.c, rank).subquery("ranked")
    return keyset(select(*ranked.c), BEST_FIRST, continued=shape.continued)


def _seen(shape: SearchShape, *where: ColumnElement[bool]) -> Select[Any]:
    """Those of some customers that the viewer sees and that meet the other conditions."""
    seen = [] if shape.of_teams is None else [is_seen(of_teams=shape.of_teams)]
    conditions = [*where, *seen, *conditions_of(shape.names, shape.fields)]
    return select(*CUSTOMER_COLUMNS).where(*in_scope(), *conditions)


def _found_by_words(shape: SearchShape) -> Iterator[Select[Any]]:
    # Digits may be the end of a phone number or of a code; among the newest matches alone those
    # could be missed, since so many other numbers contain the same digits.
    found = [_matches("patterns", by_name=not shape.is_number, of_teams=shape.of_teams)]
    if shape.is_number:
        found.append(_matches("endings", by_name=False, of_teams=shape.of_teams))
    if not (shape.further or shape.fields):
        yield from found
        return
    conditions = conditions_of(shape.further, shape.fields)
    for number, one in enumerate(found):
        met = one.subquery(f"met_{number}")
        of_one = select(*CUSTOMER_COLUMNS).join_from(customer, met, met.c.id == customer.c.id)
        yield of_one.where(*in_scope(), *conditions)
