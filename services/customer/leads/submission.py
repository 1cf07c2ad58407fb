"""Something that a person sent by a form."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Literal, Self
from uuid import UUID

import orjson
from sqlalchemy import Row

from services.customer.lead_forms.record import Intent
from shared.languages import Language

SubmissionStatus = Literal["accepted", "suspected", "rejected"]
Via = Literal["page", "api"]


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent something, as far as the request tells; part of the proof of what they agreed to."""

    client_ip: str | None = None
    user_agent: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """One row of `lead_submission`, without its tenant.

    `consents` are what was ticked, each with the wording that was shown; `origin` the columns of
    the touch that it is.
    """

    id: UUID
    form_id: UUID
    status: SubmissionStatus
    suspicions: list[str] = field(default_factory=list)
    customer_id: UUID | None = None
    intent: Intent
    entered: dict[str, Any]
    consents: list[dict[str, Any]]
    origin: dict[str, Any]
    via: Via
    language: Language
    source_page: str | None
    client_ip: str | None
    user_agent: str | None
    confirmation_sent_at: datetime | None = None
    confirmed_at: datetime | None = None
    received_at: datetime
    updated_at: datetime
    version: int = 1

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The submission in a row."""
        return cls(**{name: getattr(row, name) for name in COLUMNS})

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    @property
    def allowed_transitions(self) -> Sequence[SubmissionStatus]:
        """What may become of it."""
        if self.status != "suspected":
            return ()
        # Of who was erased, or what was too old to keep, there is nothing to make a lead of.
        return ("accepted", "rejected") if self.entered else ("rejected",)

    def digest(self) -> bytes:
        """What two clicks on the same button have in common."""
        said = [str(self.customer_id), self.intent, self.entered, self.consents]
        return hashlib.sha256(orjson.dumps(said, option=orjson.OPT_SORT_KEYS)).digest()


COLUMNS: Final = tuple(column.name for column in fields(Submission))
