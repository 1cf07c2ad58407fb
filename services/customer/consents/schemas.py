"""Consents as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, IPvAnyAddress, model_validator

from services.customer.consents.recording import (
    Act,
    AnyChannel,
    LegalBasis,
    Purpose,
    Status,
)
from services.customer.customers.schemas import AttributeName, ConsentRead, Frequency, Source
from shared.bodies import Body
from shared.moments import Instant
from shared.pii import pii
from shared.text import TextRule
from shared.web.resources import Page

ProofText = Annotated[str, TextRule(max_length=2000, lines=True)]
UserAgent = Annotated[str, TextRule(max_length=500)]


class ConsentCreate(Body):
    """An answer of a customer. It is kept for ever; a later one replaces it as the current.

    A yes needs something that shows it: `proof`, or the wording that was agreed to (`text_id`).
    """

    purpose: Purpose
    channel: AnyChannel = Field(
        default="any", description="Where to be written to; `any` for what is no writing"
    )
    status: Status
    at: Instant | None = Field(default=None, description="When it was said; now, if absent")
    source: Source = "api"
    legal_basis: LegalBasis = Field(
        default="consent", description="Advertising, profiling and sharing need a consent"
    )
    act: Act | None = Field(default=None, description="What the person did to say it")
    text_id: UUID | None = Field(default=None, description="The wording: `/v1/consent-texts`")
    frequency: Frequency | None = Field(
        default=None,
        description="How often at most it was promised to write; the text's promise, if absent",
    )
    expires_at: Instant | None = Field(default=None, description="It counts until then")
    confirmed_at: Instant | None = Field(
        default=None, description="When a second yes came from the address itself"
    )
    client_ip: IPvAnyAddress | None = Field(default=None, description="Where the person was")
    user_agent: UserAgent | None = Field(default=None, description="The person's browser or app")
    proof: Annotated[dict[AttributeName, ProofText], Field(max_length=20)] = Field(
        default_factory=dict,
        description="What shows that it was said: the wording, the page, the address it came from",
        examples=[{"wording": "Tôi đồng ý nhận tin khuyến mãi", "page": "/dang-ky"}],
    )

    @model_validator(mode="after")
    def _is_possible(self) -> Self:
        contacts = self.purpose in ("marketing", "care")
        if contacts == (self.channel == "any"):
            raise ValueError("marketing and care are about one channel, everything else about none")
        if self.status == "granted":
            if not self.proof and self.text_id is None:
                raise ValueError("nobody agrees by default: give `proof` or `text_id`")
            if self.legal_basis != "consent" and self.purpose != "care":
                raise ValueError(f"{self.purpose} needs the person's consent")
        return self


class ConsentRecordRead(BaseModel):
    """One answer of a customer."""

    id: UUID
    object: Literal["consent"] = "consent"
    customer_id: UUID
    purpose: Purpose
    channel: AnyChannel
    status: Status
    legal_basis: LegalBasis
    act: Act | None
    source: str
    text_id: UUID | None
    text_digest: str | None = Field(description="SHA-256 of the wording that was agreed to")
    frequency: Frequency | None
    expires_at: datetime | None
    confirmed_at: datetime | None
    actor_kind: str | None = Field(description="Who recorded it: staff, api_key, shopper, system")
    actor_id: str | None
    client_ip: Annotated[str | None, pii("words")]
    user_agent: Annotated[str | None, pii("words")]
    proof: dict[str, Annotated[Any, pii("words")]]
    evidence_digest: str | None = Field(
        description="Of the evidence that was made anonymous when the person was erased"
    )
    changed_at: datetime = Field(description="When it was said")
    created_at: datetime = Field(description="When it was recorded")


class ConsentPage(Page[ConsentRecordRead]):
    """What a customer ever answered, newest first, and what counts now, or counted `as_of`."""

    current: list[ConsentRead]
