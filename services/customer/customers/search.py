"""Searching customers by name, code, e-mail address and phone number.

A search ranks the newest `SEARCHED_AT_MOST` matches, so that its cost does not follow the number
of customers called Nguyễn. The matches come from a function of the schema (`search_function`).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Final, Self

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
from shared.db.paging import PageRequest, SortKey, keyset, parse_id, parse_instant
from shared.db.tables import Instant
from shared.phone import normalise_phone
from shared.security.sight import Sight
from shared.text import nfc, search_key

SEARCHED_AT_MOST = 200
FILTERED_AT_MOST = 2000
"""The same when there are conditions that the matches must satisfy, too."""

_MAX_WORDS = 6
_WORDS_OF_A_FULL_NAME = 3
_SPELT_SO = 10
_LOOKS_LIKE_CODE = re.compile(r"#?[\w./-]{2,64}")
_LOOKS_LIKE_EMAIL = re.compile(r"\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*")
_LOOKS_LIKE_PHONE = re.compile(r"[(+]{0,2}\d[\d\s.()-]{7,}")

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
_LOOKED_AT: Final = frozenset(
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
_MOST_ELSEWHERE: Final = 50
_record = customer.alias("record")
_root = func.coalesce(_record.c.merged_into, _record.c.id).label("id")
# Who has bought by one of these codes; shops of several platforms number their orders alike.
_buyers: Final = (
    select(_root, true().label("is_meant"))
    .join_from(_order, _record, _record.c.id == _order.c.customer_id)
    .where(
        _order.c.tenant_id == _TENANT,
        _order.c.number == func.any(bindparam("order_codes", type_=ARRAY(Text))),
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
        literal_column(str(_MOST_ELSEWHERE), Integer),
    )
    .table_valued(column("id", Uuid))
    .render_derived(name="merged")
)
_known_before: Final = select(_merged.c.id, false().label("is_meant"))


@lru_cache
def elsewhere_statement(*, by_order: bool, by_contact: bool) -> Select[Any]:
    """Who is found by something that their own record does not have, and whether they are meant.

    Those are who has bought by the code that was typed, or is reached by what was; the others were
    called so before their record was merged into another.
    """
    asked = [_known_before, *([_buyers] if by_order else []), *([_reached] if by_contact else [])]
    found = union_all(*(select(one.subquery()) for one in asked)).subquery("found")
    return select(found.c.id, func.bool_or(found.c.is_meant).label("is_meant")).group_by(found.c.id)


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
    only_meant: bool

    @property
    def further(self) -> tuple[str, ...]:
        """The conditions that the function of the schema does not look at."""
        return tuple(name for name in self.names if name not in _LOOKED_AT)

    @property
    def at_most(self) -> int:
        """How many of the newest matches are looked at."""
        return SEARCHED_AT_MOST if not (self.further or self.fields) else FILTERED_AT_MOST


@dataclass(frozen=True, slots=True)
class Search:
    """What must all be found: words, or one phone number in its stored form; none finds nobody.

    Without `contacts` only names and codes are searched: who is not shown an address or a number
    could guess it a letter at a time. Names with the `accents` that were typed come first.
    """

    words: Sequence[str]
    contacts: bool = True
    accents: Sequence[str] = ()
    order_codes: Sequence[str] = ()
    means_an_order: bool = False
    """Whether it is the code of an order: who has bought by it is all that is looked for."""

    contact: tuple[str, str] | None = None
    """The kind and value of the phone number or e-mail address that it is, whole."""

    @classmethod
    def read(cls, text: str, *, region: str, contacts: bool) -> Self:
        """The search that a person means by `text`; phones are those of `region`."""
        key = search_key(text)
        codes = tuple(_order_codes(text.strip()))
        if _LOOKS_LIKE_PHONE.fullmatch(key):
            e164 = normalise_phone(key, region=region).e164
            contact = ("phone", e164) if e164 else None
            number = e164 or re.sub(r"\D", "", key)
            return cls([number], contacts, order_codes=codes, contact=contact)
        words = [word for word in key.split() if any(char.isalnum() for char in word)]
        is_code = bool(codes) and text.strip().startswith("#")
        email = ("email", text.strip().lower()) if _LOOKS_LIKE_EMAIL.fullmatch(text) else None
        return cls(words[:_MAX_WORDS], contacts, _accents(text), codes, is_code, email)

    def elsewhere(self) -> tuple[Select[Any], Mapping[str, Any]]:
        """The statement that finds who is found elsewhere, and its parameters but the tenant."""
        contact = self.contact if self.contacts else None
        asked: dict[str, Any] = {
            "merged_patterns": [self._ending] if self._is_number else list(self._patterns()),
            "by_names": not self.contacts,
        }
        if self.order_codes:
            asked["order_codes"] = list(self.order_codes)
        if contact is not None:
            asked["contact_kind"], asked["contact"] = contact
        statement = elsewhere_statement(
            by_order=bool(self.order_codes), by_contact=contact is not None
        )
        return statement, asked

    def shape(
        self,
        names: Collection[str],
        fields: tuple[FieldShape, ...],
        request: PageRequest,
        *,
        sight: Sight | None,
        elsewhere: bool,
        is_meant: bool,
    ) -> SearchShape:
        """The shape of a page of what is found of all that somebody sees."""
        return SearchShape(
            is_number=self._is_number,
            continued=request.cursor is not None,
            of_teams=None if sight is None else sight.of_teams,
            contacts=self.contacts,
            names=tuple(sorted(names)),
            fields=fields,
            elsewhere=elsewhere,
            only_meant=is_meant and self.means_an_order,
        )

    def parameters(
        self, request: PageRequest, shape: SearchShape, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The parameters of its statement, but for other filters and the cursor."""
        phrase = _literal(" ".join(self.words))
        return {
            **{f"looked_{n}": values[n] if n in shape.names else None for n in _LOOKED_AT},
            "patterns": list(self._patterns()),
            "endings": [self._ending],
            "name_begins": f"{phrase}%",
            "whole": f"% {phrase} %",
            "ending": f"%{phrase} %",
            "beginning": f"% {phrase}%",
            "accents": list(self.accents) or None,
            "names_enough": self._names_enough(request, shape),
            "at_most": shape.at_most,
        }

    @property
    def _ending(self) -> str:
        return f"%{_literal(' '.join(self.words))} %"

    @property
    def _is_number(self) -> bool:
        return len(self.words) == 1 and self.words[0].isdigit()

    def _patterns(self) -> Iterator[str]:
        for word in self.words:
            # Shorter than a trigram, a word would match nearly everybody unless it begins one.
            yield f"%{_literal(word)}%" if len(word) > 2 else f"% {_literal(word)}%"

    def _names_enough(self, request: PageRequest, shape: SearchShape) -> int:
        """How many names that begin with the words make it needless to look for other matches.

        They rank first, so a first page that they fill is complete; and who types a full name
        that exists means that name.
        """
        if shape.further or shape.fields:
            return shape.at_most
        if len(self.words) >= _WORDS_OF_A_FULL_NAME:
            return 1
        return SEARCHED_AT_MOST if request.cursor else request.limit + 1


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _accents(text: str) -> Sequence[str]:
    """A pattern for each word with accents, as it was typed."""
    typed = [word for word in nfc(text).split() if not word.isascii()][:_MAX_WORDS]
    return [_spellings(word) for word in typed]


def _spellings(word: str) -> str:
    """As names are written. The database's own letters have no case but for A to Z."""
    forms = (word.lower(), word[:1].upper() + word[1:].lower(), word.upper())
    return "|".join(re.escape(form) for form in dict.fromkeys(forms))


def _order_codes(text: str) -> Iterator[str]:
    """How an order may be numbered that somebody asks for by this."""
    if not _LOOKS_LIKE_CODE.fullmatch(text) or not any(char.isdigit() for char in text):
        return
    plain = text.removeprefix("#")
    yield from dict.fromkeys((plain, f"#{plain}", plain.upper(), f"#{plain.upper()}"))


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
    """One statement for each shape, so that each is prepared once."""
    of_teams = shape.of_teams
    found: list[Select[Any]] = []
    if not shape.only_meant:
        by_words = list(_found_by_words(shape))
        words = (by_words[0] if len(by_words) == 1 else union(*by_words)).subquery("by_words")
        others = [~_is_elsewhere(words)] if shape.elsewhere else []
        found.append(select(*words.c).where(*others))
    if shape.elsewhere:
        seen = [] if of_teams is None else [is_seen(of_teams=of_teams)]
        conditions = [_is_elsewhere(customer), *seen, *conditions_of(shape.names, shape.fields)]
        found.append(select(*CUSTOMER_COLUMNS).where(*in_scope(), *conditions))
    # Nobody is in both: to compare all that is known of them would cost more than the search.
    matches = found[0] if len(found) == 1 else union_all(*found)
    return keyset(_ranked(matches, shape), BEST_FIRST, continued=shape.continued)


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
