"""Touches as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.customer.touches.origins import CLICK_IDS, MAX_ADDRESS, MAX_VALUE, Origin, origin_of
from shared.bodies import Body
from shared.moments import Instant
from shared.pii import pii
from shared.text import TextRule
from shared.web.resources import Page

Value = Annotated[str, TextRule(max_length=MAX_VALUE)]
Address = Annotated[str, TextRule(max_length=MAX_ADDRESS)]


class Attribution(Body):
    """How somebody came: what the address of the page says, and what the browser said."""

    utm_source: Value | None = Field(default=None, examples=["zalo"])
    utm_medium: Value | None = Field(default=None, examples=["cpc"])
    utm_campaign: Value | None = Field(default=None, examples=["tet-2026"])
    utm_term: Value | None = None
    utm_content: Value | None = None
    click_ids: dict[str, Value] = Field(
        default_factory=dict,
        max_length=len(CLICK_IDS),
        description=f"By the parameter's name: {', '.join(CLICK_IDS)}",
        examples=[{"gclid": "EAIaIQobChMI"}],
    )
    referrer: Address | None = None
    landing_page: Address | None = Field(
        default=None, examples=["https://www.hoasen.example/ao-dai?utm_source=zalo"]
    )

    @model_validator(mode="after")
    def _known_ids(self) -> Self:
        unknown = sorted(self.click_ids.keys() - CLICK_IDS.keys())
        if unknown:
            raise ValueError(f"Not a click id that is known: {', '.join(unknown)}")
        return self

    def origin(self) -> Origin:
        """The same, read."""
        utm = {name: getattr(self, name) for name in type(self).model_fields if "utm_" in name}
        said = {name: value for name, value in {**utm, **self.click_ids}.items() if value}
        return origin_of(said, referrer=self.referrer, landing_page=self.landing_page)


class TouchCreate(Attribution):
    """A visit of a customer that is known."""

    customer_id: UUID
    occurred_at: Instant | None = Field(default=None, description="Now, if absent")


class TouchRead(BaseModel):
    """How a customer came, once."""

    id: UUID
    object: Literal["touch"] = "touch"
    customer_id: UUID
    source: str = Field(
        description="`utm_source`, else whose click id it is, else the host that linked; `direct`",
        examples=["zalo"],
    )
    medium: str | None
    campaign: str | None
    term: str | None
    content: str | None
    click_ids: dict[str, str]
    referrer: Annotated[str | None, pii("words")]
    landing_page: Annotated[str | None, pii("words")]
    form_id: UUID | None = Field(description="The form that they sent then")
    occurred_at: datetime
    created_at: datetime


class TouchPage(Page[TouchRead]):
    """How a customer came, newest first, and the first and the last of all."""

    first: TouchRead | None
    last: TouchRead | None
