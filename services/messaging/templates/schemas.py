"""Templates as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.messaging.policies.records import Channel
from services.messaging.templates.given import Variables
from services.messaging.templates.records import Locale, Rendered, Template, TemplateContent
from shared.bodies import Body
from shared.text import TextRule

Description = Annotated[str, TextRule(500), Field(examples=["Sent after the first order"])]


class TemplateReplace(Body):
    """The whole template: what is left out is gone."""

    description: Description | None = None
    contents: Annotated[list[TemplateContent], Field(min_length=1, max_length=20)]

    @model_validator(mode="after")
    def _each_language_once(self) -> Self:
        languages = [(content.channel, content.locale) for content in self.contents]
        if len(set(languages)) < len(languages):
            raise ValueError("each channel and locale at most once")
        return self


class TemplateRead(BaseModel):
    """A template in all its languages."""

    object: Literal["template"] = "template"
    key: str = Field(examples=["thank_you_first_order"])
    version: int
    description: str | None
    contents: list[TemplateContent]
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, template: Template) -> Self:
        """What clients see of a template."""
        return cls(
            key=template.key,
            version=template.version,
            description=template.description,
            contents=list(template.contents),
            created_at=template.created_at,
            updated_at=template.updated_at,
        )


class TemplatePreviewRequest(Body):
    """For whom, in which language, and with which variables to render."""

    channel: Channel = "email"
    locale: Locale | None = Field(default=None, description="Default: the customer's, the shop's")
    customer_id: UUID | None = Field(
        default=None, description="Fills `customer`, `last_order`; needs `pii:read`"
    )
    variables: Variables = Field(
        default_factory=dict, examples=[{"customer": {"name": "Nguyễn Văn Đức"}}]
    )
    content: TemplateContent | None = Field(
        default=None, description="Renders this instead of what is stored: a draft"
    )


class TemplatePreview(BaseModel):
    """How a message would read."""

    object: Literal["template_preview"] = "template_preview"
    key: str
    locale: str
    subject: str
    text: str
    html: str | None

    @classmethod
    def of(cls, key: str, rendered: Rendered) -> Self:
        """What clients see of a rendering."""
        return cls(
            key=key,
            locale=rendered.locale,
            subject=rendered.subject,
            text=rendered.text,
            html=rendered.html,
        )
