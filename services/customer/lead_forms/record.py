"""A lead form as this service holds it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.recording import Channel, ContactPurpose
from shared.languages import Language

Intent = Literal["wants_meeting", "wants_information", "follows_brand"]
KnownField = Literal[
    "name", "email", "phone", "birth_date", "gender", "city", "province", "message"
]
OwnType = Literal["text", "long_text", "number", "date", "choice", "yes_no"]

KNOWN_FIELDS: Final[tuple[KnownField, ...]] = (
    "name",
    "email",
    "phone",
    "birth_date",
    "gender",
    "city",
    "province",
    "message",
)


@dataclass(frozen=True, slots=True)
class LeadForm:
    """One row of `lead_form`, without its tenant.

    Texts are `{"vi": …, "en": …}`; the English may be missing, and the Vietnamese then stands in.
    """

    id: UUID
    name: str
    title: dict[str, str | None]
    intro: dict[str, str | None] | None
    fields: list[dict[str, Any]]
    own_fields: list[dict[str, Any]]
    consents: list[dict[str, Any]]
    intents: list[Intent]
    default_intent: Intent
    thank_you: dict[str, str | None]
    allowed_origins: list[str]
    redirect_url: str | None
    follow_up: dict[str, Any] | None
    double_opt_in: bool
    active: bool
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The form in a row."""
        return cls(**{name: getattr(row, name) for name in COLUMNS})

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {name: getattr(self, name) for name in COLUMNS}

    def texts(self) -> Iterator["ConsentText"]:
        """What the form asks people to agree to, as it is worded now."""
        for consent in self.consents:
            yield ConsentText(
                purpose=consent["purpose"],
                channel=consent["channel"],
                version=consent["text_version"],
                text=consent["text"],
            )


COLUMNS: Final = tuple(field.name for field in fields(LeadForm))


@dataclass(frozen=True, slots=True)
class ConsentText:
    """A wording that people were asked to agree to."""

    purpose: ContactPurpose
    channel: Channel
    version: int
    text: Mapping[str, str | None]


def in_language(text: Mapping[str, str | None], language: Language) -> str:
    """A text in a language, or else in Vietnamese, which every text has."""
    return text.get(language) or text["vi"] or ""


def language_shown(text: Mapping[str, str | None], language: Language) -> Language:
    """The language that somebody was really shown a text in."""
    return language if text.get(language) else "vi"
