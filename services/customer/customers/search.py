"""Searching customers by name, code, e-mail address and phone number.

A search ranks the newest `SEARCHED_AT_MOST` matches, so that its cost does not follow the number
of customers called Nguyễn. The matches come from a function of the schema (`search_function`).
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

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
    union,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.colleagues.repository import COLLEAGUES
from services.customer.customers.models import customer
from services.customer.customers.record import COLUMNS
from shared.db.paging import PageRequest, SortKey, keyset, parse_id, parse_instant
from shared.db.tables import Instant
from shared.phone import normalise_phone
from shared.security.sight import Sight
from shared.text import search_key

SEARCHED_AT_MOST = 200
_MAX_WORDS = 6
_WORDS_OF_A_FULL_NAME = 3
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


@dataclass(frozen=True, slots=True)
class Search:
    """What must all be found: words, or one phone number in its stored form; none finds nobody.

    Without `contacts` only names and codes are searched: who is not shown an address or a number
    could guess it a letter at a time.
    """

    words: Sequence[str]
    contacts: bool = True

    @classmethod
    def read(cls, text: str, *, region: str, contacts: bool) -> Self:
        """The search that a person means by `text`; phones are those of `region`."""
        key = search_key(text)
        if _LOOKS_LIKE_PHONE.fullmatch(key):
            number = normalise_phone(key, region=region).e164 or re.sub(r"\D", "", key)
            return cls([number], contacts)
        words = [word for word in key.split() if any(char.isalnum() for char in word)]
        return cls(words[:_MAX_WORDS], contacts)

    def statement(self, request: PageRequest, *, sight: Sight | None) -> Select[Any]:
        """The statement for a page of what is found of all that somebody sees."""
        of_teams = None if sight is None else sight.of_teams
        return _STATEMENTS[self._is_number, request.cursor is not None, of_teams, self.contacts]

    def parameters(self, request: PageRequest) -> dict[str, Any]:
        """The parameters of that statement, but for filters and cursor."""
        phrase = _literal(" ".join(self.words))
        return {
            "patterns": list(self._patterns()),
            "endings": [f"%{phrase} %"],
            "name_begins": f"{phrase}%",
            "whole": f"% {phrase} %",
            "ending": f"%{phrase} %",
            "beginning": f"% {phrase}%",
            "names_enough": self._names_enough(request),
            "at_most": SEARCHED_AT_MOST,
        }

    @property
    def _is_number(self) -> bool:
        return len(self.words) == 1 and self.words[0].isdigit()

    def _patterns(self) -> Iterator[str]:
        for word in self.words:
            # Shorter than a trigram, a word would match nearly everybody unless it begins one.
            yield f"%{_literal(word)}%" if len(word) > 2 else f"% {_literal(word)}%"

    def _names_enough(self, request: PageRequest) -> int:
        """How many names that begin with the words make it needless to look for other matches.

        They rank first, so a first page that they fill is complete; and who types a full name
        that exists means that name.
        """
        if len(self.words) >= _WORDS_OF_A_FULL_NAME:
            return 1
        return SEARCHED_AT_MOST if request.cursor else request.limit + 1


def _literal(word: str) -> str:
    return word.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _matches(patterns: str, *, by_name: bool, of_teams: bool | None) -> Select[Any]:
    """The newest customers seen whose search key matches every pattern of a parameter."""
    found = (
        func.customer.search_customers(
            bindparam(patterns, type_=ARRAY(Text)),
            bindparam("name_begins", type_=Text) if by_name else null(),
            bindparam("names_enough", type_=Integer),
            bindparam("stage", type_=Text),
            bindparam("source", type_=Text),
            bindparam("tag", type_=Text),
            bindparam("created_from", type_=Instant),
            bindparam("created_until", type_=Instant),
            bindparam("at_most", type_=Integer),
            bindparam("owner_id", type_=Uuid),
            _SEEN_BY[of_teams],
        )
        .table_valued(*(column(name, customer.c[name].type) for name in COLUMNS))
        .alias(f"matching_{patterns}")
    )
    return select(*found.c)


def _ranked(matches: Select[Any] | CompoundSelect[Any], *, contacts: bool) -> Select[Any]:
    found = matches.subquery("found")
    key = found.c.search_key if contacts else _key_of_name_and_code(found)
    rank = case(
        (found.c.name_key.like(bindparam("name_begins", type_=Text)), 5),
        (key.like(bindparam("whole", type_=Text)), 4),
        (key.like(bindparam("ending", type_=Text)), 3),
        (key.like(bindparam("beginning", type_=Text)), 2),
        else_=1,
    )
    matching = select(*found.c, rank.label("rank"))
    if not contacts:
        matching = matching.where(key.like(all_(bindparam("patterns", type_=ARRAY(Text)))))
    ranked = matching.subquery("ranked")
    return select(*ranked.c)


def _key_of_name_and_code(found: Subquery) -> ColumnElement[str]:
    """The search key of a customer without what they are reached by."""
    return func.concat(" ", found.c.name_key, " ", func.lower(found.c.code), " ", type_=Text)


def _statement(*, is_number: bool, of_teams: bool | None, contacts: bool) -> Select[Any]:
    if not is_number:
        by_words = _matches("patterns", by_name=True, of_teams=of_teams)
        return _ranked(by_words, contacts=contacts)
    # Digits may be the end of a phone number or of a code; among the newest matches alone those
    # could be missed, since so many other numbers contain the same digits.
    return _ranked(
        union(
            _matches("patterns", by_name=False, of_teams=of_teams),
            _matches("endings", by_name=False, of_teams=of_teams),
        ),
        contacts=contacts,
    )


_STATEMENTS = {
    (is_number, is_continued, of_teams, contacts): keyset(
        _statement(is_number=is_number, of_teams=of_teams, contacts=contacts),
        BEST_FIRST,
        continued=is_continued,
    )
    for is_number in (False, True)
    for is_continued in (False, True)
    for of_teams in (None, False, True)
    for contacts in (False, True)
}
