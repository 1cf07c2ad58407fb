"""A row of a file, as it was read: what it says of a person, and what is wrong with it."""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from services.customer.consents.recording import Channel, Purpose
from services.customer.customers.identities import Identity
from shared.text import search_key

MOST_TAGS: Final = 50


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a cell, or with a row when there is no column."""

    code: str
    column: str | None = None

    def as_json(self) -> dict[str, Any]:
        """The form that is kept."""
        return {"code": self.code, "column": self.column}


@dataclass(frozen=True, slots=True)
class Consent:
    """An answer that a row tells of."""

    purpose: Purpose
    channel: Channel
    is_granted: bool
    column: str


@dataclass(slots=True)
class RowRead:
    """What a row says. `columns` and `profile` are those of a customer; `refused` says why not.

    `place` is what the address says, as the columns of an address; `record_ids` are the records of
    the customer that it was found to be of, each of whom may stand for themselves or not.
    """

    row: int
    columns: dict[str, Any] = field(default_factory=dict)
    profile: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    identities: list[Identity] = field(default_factory=list)
    external: Identity | None = None
    code: str | None = None
    address: str | None = None
    place: Mapping[str, Any] | None = None
    note: str | None = None
    created_at: datetime | None = None
    consents: list[Consent] = field(default_factory=list)
    consent_at: datetime | None = None
    consent_proof: str | None = None
    problems: list[Problem] = field(default_factory=list)
    refused: str | None = None
    keys: list[UUID] = field(default_factory=list)
    record_ids: Collection[UUID] = ()
    name_parts: dict[str, str] = field(default_factory=dict)

    @property
    def name_key(self) -> str:
        """The name without accents and case; empty without a name."""
        name = self.columns.get("name")
        return search_key(name) if name else ""


def row_key(*parts: str) -> UUID:
    """What is remembered of a row to know it again; the row cannot be told from it."""
    return UUID(bytes=hashlib.blake2b("\0".join(parts).encode(), digest_size=16).digest())
