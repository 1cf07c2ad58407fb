"""Searching customers by name, code, e-mail address and phone number.

A search ranks the newest `SEARCHED_AT_MOST` matches, so that its cost does not follow the number
of customers called Nguyễn. The matches come from a function of the schema (`search_function`).
"""

import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from typing import Any, Self

from sqlalchemy import Select

from services.customer.customers.search_statements import (
    LOOKED_AT,
    MOST_CODES,
    SEARCHED_AT_MOST,
    SearchShape,
    elsewhere_statement,
)
from services.customer.fields.filtering import FieldShape
from shared.db.paging import PageRequest
from shared.phone import normalise_phone
from shared.security.sight import Sight
from shared.text import nfc, search_key

_MAX_WORDS = 6
_WORDS_OF_A_FULL_NAME = 3
_LOOKS_LIKE_CODE = re.compile(r"#?[\w./-]{2,64}")
_LOOKS_LIKE_EMAIL = re.compile(r"\s*[^@\s]+@[^@\s]+\.[^@\s]+\s*")
_LOOKS_LIKE_PHONE = re.compile(r"[(+]{0,2}\d[\d\s.()-]{7,}")


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
        by_order = bool(self.order_codes) and not self.means_an_order
        if by_order:
            asked |= self.codes()
        if contact is not None:
            asked["contact_kind"], asked["contact"] = contact
        return elsewhere_statement(by_order=by_order, by_contact=contact is not None), asked

    def codes(self) -> dict[str, Any]:
        """The codes of orders that may be meant, as parameters."""
        said = islice(cycle(self.order_codes), MOST_CODES)
        return {f"order_code_{number}": code for number, code in enumerate(said)}

    def shape(
        self,
        names: Collection[str],
        fields: tuple[FieldShape, ...],
        request: PageRequest,
        *,
        sight: Sight | None,
        elsewhere: bool = False,
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
        )

    def parameters(
        self, request: PageRequest, shape: SearchShape, values: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The parameters of its statement, but for other filters and the cursor."""
        phrase = _literal(" ".join(self.words))
        return {
            **{f"looked_{n}": values[n] if n in shape.names else None for n in LOOKED_AT},
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
