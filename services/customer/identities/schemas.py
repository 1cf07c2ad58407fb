"""Identities as clients write them."""

from typing import Annotated, Self

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from services.customer.customers.identities import Standing
from services.customer.customers.identity_match import IdentifierKind
from services.customer.customers.schemas import Source
from shared.bodies import Body
from shared.moments import Instant
from shared.text import TextRule
from shared.web.patches import NeverNull

IdentityReason = Annotated[
    str,
    TextRule(max_length=500),
    Field(examples=["Khách đọc mã OTP"], description="Why: what was proved, or what has changed"),
]
_NEEDS_REASON = "Say how it was proved"


class IdentityCreate(Body):
    """Something that a customer can be recognised by."""

    kind: IdentifierKind
    value: Annotated[str, TextRule(max_length=320)] = Field(examples=["0912 345 678"])
    source: Source = Field(default="api", description="Of a platform id: whose id it is")
    standing: Standing = Field(
        default="claimed", description="Verified with a reason; a platform id always is"
    )
    shared: bool = Field(default=False, description="Several people have it: it links nobody")
    valid_from: Instant | None = Field(default=None, description="Since when it is theirs")
    reason: IdentityReason | None = None

    @model_validator(mode="after")
    def _is_proved(self) -> Self:
        proved = self.standing == "verified" and self.kind != "platform_id"
        if proved and self.reason is None:
            raise PydanticCustomError("reason_missing", _NEEDS_REASON)
        if proved and self.shared:
            raise PydanticCustomError("shared_and_verified", "What is shared cannot be verified")
        return self


class IdentityPatch(Body):
    """A change: what is absent stays as it is."""

    standing: Annotated[Standing | None, NeverNull()] = Field(
        default=None, description="Verified with a reason"
    )
    shared: Annotated[bool | None, NeverNull()] = None
    valid_from: Instant | None = None
    valid_until: Instant | None = Field(
        default=None, description="Since when it is not theirs any more; null: it is again"
    )
    reason: IdentityReason | None = None

    @model_validator(mode="after")
    def _is_proved(self) -> Self:
        if self.standing == "verified" and self.reason is None:
            raise PydanticCustomError("reason_missing", _NEEDS_REASON)
        return self
