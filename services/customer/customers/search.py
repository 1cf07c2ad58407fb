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
    func,
    literal_column,
    null,
    select,
    table,
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.colleagues.repository import COLLEAGUES
from services.customer.customers.conditions import conditions_of, in_scope
from services.customer.customers.models import customer
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
_LOOKS_LIKE_PHONE = re.compile(r"\+?\d[\d\s.()-]{7,}")

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
_order = table(
    "customer_order",
    column("tenant_id", Uuid),
    column("customer_id", Uuid),
    column("number", Text),
    schema="customer",
)
_buyer = customer.alias("buyer")
BUYERS: Final = (
    select(func.coalesce(_buyer.c.merged_into, _buyer.c.id))
    .join_from(_order, _buyer, _buyer.c.id == _order.c.customer_id)
    .where(
        _order.c.tenant_id == bindparam("tenant", type_=Uuid),
        _order.c.number == func.any(bindparam("order_codes", type_=ARRAY(Text))),
        _buyer.c.tenant_id == bindparam("tenant", type_=Uuid),
    )
    .limit(50)
)
"""Who has bought by one of these codes; shops of several platforms number their orders alike."""


@dataclass(frozen=True, slots=True)
class SearchShape:
    """A search without its values: what has the same shape is the same statement."""

    is_number: bool
    continued: bool
    of_teams: bool | None
    contacts: bool
    names: tuple[str, ...]
    fields: tuple[FieldShape, ...]
    by_order: bool
    only_by_order: bool

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

    @classmethod
    def read(cls, text: str, *, region: str, contacts: bool) -> Self:
        """The search that a person means by `text`; phones are those of `region`."""
        key = search_key(text)
        codes = tuple(_order_codes(text.strip()))
        if _LOOKS_LIKE_PHONE.fullmatch(key):
            number = normalise_phone(key, region=region).e164 or re.sub(r"\D", "", key)
            return cls([number], contacts, order_codes=codes)
        words = [word for word in key.split() if any(char.isalnum() for char in word)]
        is_code = bool(codes) and text.strip().startswith("#")
        return cls(words[:_MAX_WORDS], contacts, _accents(text), codes, is_code)

    def shape(
        self,
        names: Collection[str],
        fields: tuple[FieldShape, ...],
        request: PageRequest,
        *,
        sight: Sight | None,
        by_order: bool,
    ) -> SearchShape:
        """The shape of a page of what is found of all that somebody sees."""
        return SearchShape(
            is_number=self._is_number,
            continued=request.cursor is not None,
            of_teams=None if sight is None else sight.of_teams,
            contacts=self.contacts,
            names=tuple(sorted(names)),
            fields=fields,
            by_order=by_order,
            only_by_order=by_order and self.means_an_order,
        )

    def parameters(
        self, request: PageRequest, shape: SearchShape, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The parameters of its statement, but for other filters and the cursor."""
        phrase = _literal(" ".join(self.words))
        return {
            **{f"looked_{n}": values[n] if n in shape.names else None for n in _LOOKED_AT},
            "patterns": list(self._patterns()),
            "endings": [f"%{phrase} %"],
            "name_begins": f"{phrase}%",
            "whole": f"% {phrase} %",
            "ending": f"%{phrase} %",
            "beginning": f"% {phrase}%",
            "accents": list(self.accents) or None,
            "names_enough": self._names_enough(request, shape),
            "at_most": shape.at_most,
        }

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
    has_bought = found.c.id == func.any(bindparam("buyers", type_=ARRAY(Uuid)))
    matched = case(
        *([(has_bought, 6)] if shape.by_order else []),
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
        matching = matching.where(by_key | has_bought if shape.by_order else by_key)
    ranked = matching.subquery("ranked")
    return select(*ranked.c)


def _key_of_name_and_code(found: Subquery) -> ColumnElement[str]:
    """The search key of a customer without what they are reached by."""
    return func.concat(" ", found.c.name_key, " ", func.lower(found.c.code), " ", type_=Text)


@lru_cache(256)
def search_statement(shape: SearchShape) -> Select[Any]:
    """One statement for each shape, so that each is prepared once."""
    of_teams = shape.of_teams
    found = [] if shape.only_by_order else list(_found_by_words(shape))
    if shape.by_order:
        seen = [] if of_teams is None else [is_seen(of_teams=of_teams)]
        bought = customer.c.id == func.any(bindparam("buyers", type_=ARRAY(Uuid)))
        conditions = conditions_of(shape.names, shape.fields)
        found.append(select(*CUSTOMER_COLUMNS).where(*in_scope(), bought, *seen, *conditions))
    matches = found[0] if len(found) == 1 else union(*found)
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
