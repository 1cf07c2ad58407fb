"""Logging in, as clients write and read it."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, SecretStr

from gateway.second_factor.schemas import Code
from gateway.sessions.record import SessionRecord
from gateway.staff.schemas import StaffRead
from shared.bodies import Body
from shared.security.principal import PrincipalKind, Visibility
from shared.text import TextRule

RefreshTokenText = Annotated[SecretStr, Field(max_length=200)]


class LoginRequest(Body):
    """Address and password of a member of staff."""

    email: Annotated[str, TextRule(min_length=3, max_length=254)] = Field(
        examples=["lan@example.com"]
    )
    password: Annotated[SecretStr, Field(min_length=1, max_length=200)]
    shop: Annotated[str, TextRule(max_length=64)] | None = Field(
        default=None, examples=["hoa-sen"], description="Slug; needed by who works for several"
    )


class RefreshRequest(Body):
    """The refresh token of the last login or refresh."""

    refresh_token: RefreshTokenText


class SessionTokens(BaseModel):
    """What a logged-in member of staff sends, and how it is renewed."""

    object: Literal["session"] = "session"
    access_token: str = Field(description="Send it as `Authorization: Bearer ...`")
    token_type: Literal["Bearer"] = "Bearer"  # noqa: S105  (a word of RFC 6750)
    expires_in: int = Field(description="Seconds until the access token ends", examples=[900])
    refresh_token: str = Field(description="Good for one refresh")
    refresh_expires_at: datetime
    second_factor_required: bool = Field(
        description="Whether the shop wants a second factor that is not there yet: set it up first"
    )
    staff: StaffRead


class SecondFactorLogin(Body):
    """The second step of a login."""

    challenge_token: Annotated[SecretStr, Field(min_length=1, max_length=2000)] = Field(
        description="From the 401 `second_factor_required` of the first step"
    )
    code: Code


class StaffSessionRead(BaseModel):
    """Somewhere a member of staff is logged in."""

    id: UUID
    object: Literal["staff_session"] = "staff_session"
    staff_id: UUID
    user_agent: str | None = Field(examples=["Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac)"])
    client_ip: str | None = Field(
        examples=["203.0.113.7"], description="Where it was opened or last renewed from"
    )
    current: bool = Field(description="Whether it is the one that asks")
    created_at: datetime
    last_used_at: datetime | None = Field(description="To the minute")
    expires_at: datetime

    @classmethod
    def of(cls, record: SessionRecord, *, current: UUID | None) -> Self:
        """The session of a record."""
        return cls(
            id=record.id,
            staff_id=record.staff_id,
            user_agent=record.user_agent,
            client_ip=record.client_ip,
            current=record.id == current,
            created_at=record.created_at,
            last_used_at=record.last_used_at,
            expires_at=record.expires_at,
        )


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
    visibility: Visibility = Field(description="Whose tickets, tasks and customers it sees")
    team_ids: list[UUID]
    shop: ShopRead
    staff: StaffRead | None = Field(description="Who it is when staff is calling")
