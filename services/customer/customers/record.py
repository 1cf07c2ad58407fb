"""A customer as this service holds it, and as it tells others of it."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from operator import attrgetter
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.profile import Kind, Relation
from services.customer.tenants.shops import ValueTier
from services.customer.timeline.entries import Entry
from shared.contracts.customer import CONTACT_PURPOSES, ConsentState, CustomerState
from shared.text import search_key

Stage = Literal["lead", "customer"]
Gender = Literal["female", "male", "other"]


@dataclass(frozen=True, slots=True)
class CustomerRecord:
    """One row of `customer`, without its tenant; the fields are the columns `STORED` in order.

    `provenance` is there where a record was locked for a change or is new: nobody else needs it.
    """

    id: UUID
    code: str
    stage: Stage
    kind: Kind
    relation: Relation
    name: str | None
    email: str | None
    phone: str | None
    locale: str | None
    gender: Gender | None
    birth_date: date | None
    city: str | None
    province: str | None
    country: str | None
    source: str
    owner_id: UUID | None
    merged_into: UUID | None
    tags: list[str]
    attributes: dict[str, Any]
    profile: dict[str, Any]
    consents: list[dict[str, Any]]
    value_tier: ValueTier
    orders_count: int
    total_spent_minor: int
    currency: str
    first_order_at: datetime | None
    last_order_at: datetime | None
    restricted_at: datetime | None
    erased_at: datetime | None
    removed_at: datetime | None
    last_interaction_at: datetime | None
    name_key: str | None
    search_key: str
    created_at: datetime
    updated_at: datetime
    version: int
    provenance: Mapping[str, Any] | None = None

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The record in a row that begins with its columns."""
        return cls(*row[: len(COLUMNS)])

    @classmethod
    def of_stored(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The record in a row that begins with all that is stored of it."""
        return cls(*row[: len(STORED)])

    def values(self) -> tuple[Any, ...]:
        """The values of the columns."""
        values: tuple[Any, ...] = _values_of(self)
        return values

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return dict(zip(COLUMNS, self.values(), strict=True))

    def as_stored(self) -> dict[str, Any]:
        """All that is stored, by name."""
        return {**self.as_row(), "provenance": self.provenance}

    def merged(self, changes: Mapping[str, Any], *, at: datetime) -> Self:
        """The next version, with these columns changed; the very same if none of them differs."""
        differing = {name: new for name, new in changes.items() if getattr(self, name) != new}
        if not differing:
            return self
        keys = _keys({**self.as_row(), **differing}) if differing.keys() & _KEYED else {}
        return replace(self, **{**differing, **keys}, updated_at=at, version=self.version + 1)

    def next_version_of(self, stored: "CustomerRecord") -> Self:
        """The same as the version after `stored`, however many changes lie between them."""
        version = stored.version + 1
        return self if self.version == version else replace(self, version=version)

    def differences(self, before: "CustomerRecord") -> list[str]:
        """The names of the columns, but for bookkeeping, that differ from an earlier version."""
        return list(self.changes_since(before))

    def changes_since(self, before: "CustomerRecord") -> dict[str, tuple[Any, Any]]:
        """What each field, but for bookkeeping, was in an earlier version, and what it is now."""
        columns = zip(COLUMNS, before.values(), self.values(), strict=True)
        changes = {
            name: (old, new)
            for name, old, new in columns
            if old != new and name not in _BOOKKEEPING
        }
        said, says = changes.pop("profile", ({}, {}))
        for name in {**says, **said}:
            if said.get(name) != says.get(name):
                changes[name] = (said.get(name), says.get(name))
        return changes

    def fields(self) -> dict[str, Any]:
        """The fields of the API that are known, each by itself."""
        columns = self.as_row()
        profile: dict[str, Any] = columns.pop("profile")
        return columns | profile

    def state(self) -> CustomerState:
        """What other services may know."""
        known = self.as_row()
        del known["name_key"], known["search_key"], known["last_interaction_at"]
        known["customer_id"] = known.pop("id")
        known |= known.pop("profile")
        known["tags"] = tuple(self.tags)
        known["restricted"] = known.pop("restricted_at") is not None
        known["removed"] = known.pop("removed_at") is not None
        del known["erased_at"]
        # Others know of being written to only; what else was agreed to stays here.
        known["consents"] = tuple(
            ConsentState.model_validate(consent)
            for consent in self.consents
            if consent["purpose"] in CONTACT_PURPOSES
        )
        return CustomerState(**known)


STORED = tuple(field.name for field in fields(CustomerRecord))
COLUMNS = STORED[:-1]
_values_of = attrgetter(*COLUMNS)
_KEYED = frozenset({"code", "name", "email", "phone", "removed_at"})
_BOOKKEEPING = frozenset(
    {
        *("merged_into", "name_key", "search_key", "created_at", "updated_at", "version"),
        "last_interaction_at",
    }
)
_UNKNOWN: dict[str, Any] = {
    "stage": "lead",
    "kind": "person",
    "relation": "customer",
    **dict.fromkeys(
        ("name", "email", "phone", "locale", "gender", "birth_date", "city", "province", "country")
    ),
    "owner_id": None,
    "merged_into": None,
    "tags": [],
    "attributes": {},
    "profile": {},
    "value_tier": "standard",
    "orders_count": 0,
    "total_spent_minor": 0,
    "first_order_at": None,
    "last_order_at": None,
    "restricted_at": None,
    "erased_at": None,
    "removed_at": None,
    "last_interaction_at": None,
}


def new_record(
    known: Mapping[str, Any], *, customer_id: UUID, number: int, currency: str, at: datetime
) -> CustomerRecord:
    """A customer of whom only the columns in `known` (with the source) are known."""
    columns = {
        **_UNKNOWN,
        "consents": [],
        **known,
        "id": customer_id,
        "code": customer_code(number),
        "currency": currency,
        "created_at": at,
        "updated_at": at,
        "version": 1,
    }
    return CustomerRecord(**columns, **_keys(columns))


def created_entry(record: CustomerRecord) -> Entry:
    """What the timeline of a new customer begins with."""
    return Entry(
        customer_id=record.id,
        type="customer.created",
        occurred_at=record.created_at,
        data={"source": record.source},
    )


def changed_entry(before: CustomerRecord, after: CustomerRecord) -> Entry:
    """That these fields of a customer were changed."""
    return Entry(
        customer_id=after.id,
        type="customer.changed",
        occurred_at=after.updated_at,
        data={"fields": after.differences(before)},
    )


def customer_code(number: int) -> str:
    """The human code of a customer (mã khách hàng): KH000123."""
    return f"KH{number:06d}"


def _keys(columns: Mapping[str, Any]) -> dict[str, Any]:
    """What a customer is found by: name without accents, code, e-mail address, phone digits.

    In the search key each part stands between spaces, so that a pattern can ask for the beginning
    or the end of a word; a phone is there as people dial it as well as in E.164.
    """
    phone = columns["phone"]
    name_key = search_key(columns["name"]) if columns["name"] else None
    if columns["removed_at"] is not None:
        # Not even their code finds them: they would stand in the way of those who are there.
        return {"name_key": None, "search_key": ""}
    parts = (columns["code"], columns["email"], phone, _as_dialled(phone))
    others = search_key(" ".join(part for part in parts if part))
    return {"name_key": name_key, "search_key": f" {name_key or ''} {others} "}


def _as_dialled(e164: str | None) -> str | None:
    """A Vietnamese number with its trunk zero; others are dialled with their country code."""
    if e164 is None or not e164.startswith("+84"):
        return None
    return f"0{e164.removeprefix('+84')}"
