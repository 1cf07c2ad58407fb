"""Consents as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.customer.consents.recording import Channel, Purpose, Status
from services.customer.customers.schemas import AttributeName, ConsentRead, Source
from shared.bodies import Body
from shared.moments import Instant
from shared.text import TextRule
from shared.web.resources import Page

ProofText = Annotated[str, TextRule(max_length=2000, lines=True)]


class ConsentCreate(Body):
    """An answer of a customer. It is kept for ever; a later one replaces it as the current."""

    purpose: Purpose
    channel: Channel
    status: Status
    at: Instant | None = Field(default=None, description="When it was said; now, if absent")
    source: Source = "api"
    proof: Annotated[dict[AttributeName, ProofText], Field(max_length=20)] = Field(
        default_factory=dict,
        description="What shows that it was said: the wording, the page, the address it came from",
        examples=[{"wording": "Tôi đồng ý nhận tin khuyến mãi", "page": "/dang-ky"}],
    )


class ConsentRecordRead(BaseModel):
    """One answer of a customer."""

    id: UUID
    object: Literal["consent"] = "consent"
    customer_id: UUID
    purpose: Purpose
    channel: Channel
    status: Status
    source: str
    proof: dict[str, Any]
    changed_at: datetime = Field(description="When it was said")
    created_at: datetime = Field(description="When it was recorded")


class ConsentPage(Page[ConsentRecordRead]):
    """What a customer ever answered, newest first, and what counts now."""

    current: list[ConsentRead]
