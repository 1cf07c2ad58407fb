"""Logging in, as clients write and read it."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from gateway.staff.schemas import StaffRead
from shared.security.principal import PrincipalKind
from shared.text import TextRule

RefreshTokenText = Annotated[SecretStr, Field(max_length=200)]


class LoginRequest(BaseModel):
    """Address and password of a member of staff."""

    model_config = ConfigDict(extra="forbid")

    email: Annotated[str, TextRule(min_length=3, max_length=254)] = Field(
        examples=["lan@example.com"]
    )
    password: Annotated[SecretStr, Field(min_length=1, max_length=200)]
    shop: Annotated[str, TextRule(max_length=64)] | None = Field(
        default=None, examples=["hoa-sen"], description="Slug; needed by who works for several"
    )


class RefreshRequest(BaseModel):
    """The refresh token of the last login or refresh."""

    model_config = ConfigDict(extra="forbid")

    refresh_token: RefreshTokenText


class SessionTokens(BaseModel):
    """What a logged-in member of staff sends, and how it is renewed."""

    object: Literal["session"] = "session"
    access_token: str = Field(description="Send it as `Authorization: Bearer ...`")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (a word of RFC 6750)
    expires_in: int = Field(description="Seconds until the access token ends", examples=[900])
    refresh_token: str = Field(description="Good for one refresh")
    refresh_expires_at: datetime
    staff: StaffRead


class ShopRead(BaseModel):
    """The shop that a caller acts in."""

    id: UUID
    name: str
    slug: str
    timezone: str
    currency: str
    locale: Literal["vi", "en"]
    country: str


class CallerRead(BaseModel):
    """Who is calling, and what they may do."""

    object: Literal["caller"] = "caller"
    kind: PrincipalKind
    id: str = Field(description="The member of staff, the API key or the customer")
    scopes: list[str]
    shop: ShopRead
    staff: StaffRead | None = Field(description="Who it is when staff is calling")
