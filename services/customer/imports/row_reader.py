"""Reading a row of a file as a person, by what its columns are mapped to. Pure functions.

A cell that cannot be read is left out and reported; it costs the row only where the mapping says
so. Nothing is made up: a year of birth is no birthday, and an empty cell clears nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo

from services.customer.addresses.placing import AddressReader
from services.customer.customers.identities import (
    Identity,
    email_identity,
    platform_identity,
)
from services.customer.fields.record import CustomField
from services.customer.imports.attribute_cells import read_attribute
from services.customer.imports.cells import (
    CellProblem,
    DateOrder,
    is_empty,
    read_answer,
    read_birth,
    read_gender,
    read_instant,
    split_tags,
)
from services.customer.imports.rows import MOST_TAGS, Consent, Problem, RowRead, row_key
from services.customer.imports.targets import ATTRIBUTE, CONSENTS, TEXTS
from shared.phone import normalise_phone
from shared.text import search_key, tidy

BIRTH_YEAR: Final = "birth_year"
"""The attribute that holds a year of birth of which no day is known."""

_TAX_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9./-]{1,31}")
_CODE: Final = re.compile(r"[A-Za-z]{1,8}\d{1,18}")
_EXTRA_PHONES: Final = 5
_COUNTRIES: Final[Mapping[str, str]] = {"viet nam": "VN", "vietnam": "VN", "vnm": "VN"}


@dataclass(frozen=True, slots=True)
class Rules:
    """How the cells of one import are read."""

    source: str
    region: str
    zone: ZoneInfo
    date_order: DateOrder
    today: date
    now: datetime
    is_strict: bool = False
    fields: Mapping[str, CustomField] = field(default_factory=dict)
    only_fields: bool = False
    """Whether the shop takes no attributes but those that it has defined."""


@dataclass(frozen=True, slots=True)
class Mapped:
    """A column by its place, and what it is mapped to."""

    place: int
    name: str
    target: str
    is_strict: bool = False


_Reader = Callable[[RowRead, str, Mapped], None]


class RowReader:
    """Reads the rows of one import."""

    def __init__(
        self, mapping: Sequence[Mapped], rules: Rules, *, width: int, addresses: AddressReader
    ) -> None:
        self._rules = rules
        self._addresses = addresses
        self._width = width
        self._mapped = [(mapped, self._reader_of(mapped.target)) for mapped in mapping]

    def read(self, row: int, cells: Sequence[str]) -> RowRead:
        """What a row says. Never raises: what is wrong with it is in `problems` and `refused`."""
        said = RowRead(row)
        if len(cells) > self._width and any(cells[self._width :]):
            said.refused = "more_cells_than_columns"
            return said
        told: list[str] = []
        for mapped, read in self._mapped:
            cell = cells[mapped.place] if mapped.place < len(cells) else ""
            if is_empty(cell):
                continue
            told.append(f"{mapped.target}={cell}")
            try:
                read(said, cell, mapped)
            except CellProblem as problem:
                said.problems.append(Problem(problem.code, mapped.name))
                if mapped.is_strict or self._rules.is_strict:
                    said.refused = problem.code
        self._conclude(said, told)
        return said

    def _conclude(self, said: RowRead, told: Sequence[str]) -> None:
        if said.name_parts and "name" not in said.columns:
            parts = (said.name_parts.get("family_name"), said.name_parts.get("first_name"))
            said.columns["name"] = " ".join(part for part in parts if part)
        if said.consents and not (said.consent_at and said.consent_proof):
            self._refuse_unproved(said)
        known = said.columns.get("name") or said.identities or said.external or said.code
        if said.refused is None and not known:
            said.refused = "nobody"
        if said.refused is None:
            said.keys = self._keys(said, told)

    def _refuse_unproved(self, said: RowRead) -> None:
        """A consent of which nobody can show when and how it was given is none."""
        for consent in said.consents:
            if consent.is_granted:
                said.problems.append(Problem("consent_without_proof", consent.column))
        said.consents = [consent for consent in said.consents if not consent.is_granted]

    def _keys(self, said: RowRead, told: Sequence[str]) -> list[UUID]:
        """What makes two rows of a source one person: a contact with the same name.

        Without a contact it is the whole row.
        """
        name = said.name_key
        if said.identities:
            return [row_key(self._rules.source, i.kind, i.value, name) for i in said.identities]
        if said.external is not None or said.code is not None:
            return []
        return [row_key(self._rules.source, "row", *told)]

    def _reader_of(self, target: str) -> _Reader:
        if target in TEXTS:
            return self._text
        if target in CONSENTS:
            return self._consent
        if ATTRIBUTE.fullmatch(target):
            return self._attribute
        reader: _Reader = getattr(self, f"_{target}")
        return reader

    def _name(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        said.columns["name"] = _line(cell, 200)

    def _family_name(self, said: RowRead, cell: str, mapped: Mapped) -> None:
        said.name_parts[mapped.target] = _line(cell, 100)

    _first_name = _family_name

    def _email(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        found = 0
        for address in re.split(r"[,;\s]+", cell):
            identity = email_identity(address, source=self._rules.source)
            if identity is not None and len(identity.value) <= 254:
                found += 1
                self._add_contact(said, identity)
        if not found:
            raise CellProblem("email_not_valid")

    def _phone(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        number = normalise_phone(cell, region=self._rules.region)
        if number.e164 is None:
            raise CellProblem("phone_not_valid")
        for e164 in (number.e164, *number.extras[:_EXTRA_PHONES]):
            kept = Identity("phone", e164, cell[:320], "claimed", self._rules.source)
            self._add_contact(said, kept)

    def _add_contact(self, said: RowRead, identity: Identity) -> None:
        """The first of a kind is the one to reach them by, further ones are kept beside it."""
        if all(identity.key != other.key for other in said.identities):
            said.identities.append(identity)
            said.columns.setdefault(identity.kind, identity.value)

    def _gender(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        said.columns["gender"] = read_gender(cell)

    def _birth_date(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        born = read_birth(cell, order=self._rules.date_order, today=self._rules.today)
        if isinstance(born, int):
            value = self._own_field(BIRTH_YEAR, str(born))
            said.attributes[BIRTH_YEAR] = value if BIRTH_YEAR in self._rules.fields else born
        else:
            said.columns["birth_date"] = born

    def _address(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        if len(cell) > 500:
            raise CellProblem("too_long")
        said.address = cell
        said.place = self._addresses.placed(cell)

    def _country(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        code = _COUNTRIES.get(search_key(cell), cell.upper())
        if not re.fullmatch(r"[A-Z]{2}", code):
            raise CellProblem("country_not_known")
        said.columns["country"] = code

    def _tags(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        tags = [_line(tag, 64) for tag in split_tags(cell)]
        said.tags = list(dict.fromkeys([*said.tags, *tags]))
        if len(said.tags) > MOST_TAGS:
            del said.tags[MOST_TAGS:]
            raise CellProblem("too_many_tags")

    def _code(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        if not _CODE.fullmatch(cell):
            raise CellProblem("code_not_valid")
        said.code = cell.upper()

    def _external_id(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        said.external = platform_identity(_line(cell, 200), source=self._rules.source)

    def _note(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        said.note = f"{said.note}\n{cell}" if said.note else cell

    def _created_at(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        said.created_at = self._past(cell)

    def _consent_at(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        said.consent_at = self._past(cell)

    def _consent_proof(self, said: RowRead, cell: str, _mapped: Mapped) -> None:
        if len(cell) > 2000:
            raise CellProblem("too_long")
        said.consent_proof = cell

    def _consent(self, said: RowRead, cell: str, mapped: Mapped) -> None:
        purpose, channel = CONSENTS[mapped.target]
        said.consents.append(Consent(purpose, channel, read_answer(cell), mapped.name))

    def _text(self, said: RowRead, cell: str, mapped: Mapped) -> None:
        text = _line(cell, TEXTS[mapped.target])
        if mapped.target == "tax_code" and not _TAX_CODE.fullmatch(text):
            raise CellProblem("tax_code_not_valid")
        where = said.columns if mapped.target in {"city", "province"} else said.profile
        where[mapped.target] = text

    def _attribute(self, said: RowRead, cell: str, mapped: Mapped) -> None:
        name = mapped.target.removeprefix("attributes.")
        said.attributes[name] = self._own_field(name, cell)

    def _own_field(self, name: str, cell: str) -> Any:
        known = self._rules.fields.get(name)
        if known is None and self._rules.only_fields:
            raise CellProblem("unknown_field")
        return read_attribute(cell, known, order=self._rules.date_order)

    def _past(self, cell: str) -> datetime:
        at = read_instant(cell, order=self._rules.date_order, zone=self._rules.zone)
        if at > self._rules.now:
            raise CellProblem("date_in_the_future")
        return at


def _line(cell: str, most: int) -> str:
    text = tidy(cell, max_length=len(cell)) or ""
    if not text:
        raise CellProblem("empty")
    if len(text) > most:
        raise CellProblem("too_long")
    return text
