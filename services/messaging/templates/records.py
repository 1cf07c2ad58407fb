"""Templates as the rest of this service reads them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, Literal, Self

from pydantic import ConfigDict, Field, StringConstraints, TypeAdapter
from sqlalchemy import Row

from services.messaging.policies.records import Channel
from shared.bodies import Body
from shared.text import TextRule

TemplateKey = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$"),
    Field(examples=["thank_you_first_order"]),
]
Locale = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35),
    Field(examples=["vi"]),
]
FALLBACK_LOCALES = ("vi", "en")


class TemplateContent(Body):
    """What is said on one channel in one language: Liquid in every part."""

    model_config = ConfigDict(frozen=True)

    channel: Channel = "email"
    locale: Locale
    subject: Annotated[str, TextRule(500), Field(examples=["Cảm ơn {{ customer.name }}!"])]
    text: Annotated[
        str, TextRule(50_000, lines=True), Field(examples=["Chào {{ customer.name }},\n..."])
    ]
    html: Annotated[str, TextRule(100_000, lines=True)] | None = Field(
        default=None, description="Values are escaped. Without it the message is text only"
    )


_CONTENTS = TypeAdapter(tuple[TemplateContent, ...])


@dataclass(frozen=True, slots=True)
class Template:
    """A template in all its languages."""

    key: str
    version: int
    description: str | None
    contents: tuple[TemplateContent, ...]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """A template from its row."""
        return cls(
            key=row.key,
            version=row.version,
            description=row.description,
            contents=_CONTENTS.validate_python(row.contents),
            created_at=row.created_at,
            updated_at=row.updated_at,
        )

    @property
    def channels(self) -> frozenset[Channel]:
        """The channels that it has words for."""
        return frozenset(content.channel for content in self.contents)

    def content_for(self, channel: Channel, locales: Sequence[str | None]) -> TemplateContent:
        """The content in the first of `locales` there is, else Vietnamese, English, any.

        `en-GB` falls back to `en` before the next wish is looked at.
        """
        offered = {(c.channel, c.locale.lower()): c for c in self.contents}
        for locale in (*filter(None, locales), *FALLBACK_LOCALES):
            wanted = locale.lower().replace("_", "-")
            language = wanted.partition("-")[0]
            found = offered.get((channel, wanted)) or offered.get((channel, language))
            if found is not None:
                return found
        return next(iter(offered.values()))


@dataclass(frozen=True, slots=True)
class Rendered:
    """A message's words, ready to be sent."""

    locale: str
    subject: str
    text: str
    html: str | None


Part = Literal["subject", "text", "html"]
