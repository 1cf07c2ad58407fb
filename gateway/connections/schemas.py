"""Connections as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    Discriminator,
    EmailStr,
    Field,
    SecretStr,
    StringConstraints,
    Tag,
)

from gateway.connections.record import EMAIL_OPTIONS, ConnectionKind, ConnectionRecord
from gateway.platforms.platform import Platform
from shared.bodies import Body
from shared.text import Name

SigningSecret = Annotated[SecretStr, Field(min_length=8, max_length=255)]
Host = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9]([A-Za-z0-9.:-]{0,251}[A-Za-z0-9])?$"),
    Field(examples=["smtp.example.com"]),
]
Port = Annotated[int, Field(ge=1, le=65535, examples=[587])]
Security = Literal["none", "starttls", "tls"]
Credential = Annotated[SecretStr, Field(min_length=1, max_length=512)]
SenderAddress = Annotated[EmailStr, Field(max_length=254, examples=["care@example.com"])]
EmailsVerified = Annotated[
    bool,
    Field(
        description="The shop lets nobody order with an account whose e-mail address was not"
        " confirmed. Only then do such addresses join customers of several platforms. Shopify"
        " says it of each customer; for WooCommerce it takes a plugin."
    ),
]


StoreName = Annotated[
    str, StringConstraints(pattern=r"^[A-Za-z0-9]{1,64}$"), Field(examples=["wvoblpcekx"])
]
_ASKED_WITH: Final = (
    "For platforms whose webhooks only name what has changed (BigCommerce): the rest is asked for"
)


class PlatformConnectionCreate(Body):
    """A shop on an e-commerce platform, which delivers webhooks."""

    kind: Literal["platform"] = "platform"
    platform: Platform
    name: Name | None = Field(default=None, examples=["hoa-sen.myshopify.com"])
    secret: SigningSecret | None = Field(
        default=None, description="What the platform signs with; made up here if absent"
    )
    emails_verified: EmailsVerified = False
    store: StoreName | None = Field(
        default=None, description=f"The store's name in the platform's API. {_ASKED_WITH}"
    )
    access_token: Credential | None = Field(
        default=None, description=f"What the store's API is asked with. {_ASKED_WITH}"
    )


class EmailConnectionCreate(Body):
    """An SMTP account that messages go out through."""

    kind: Literal["email"]
    name: Name | None = Field(default=None, examples=["Care mailbox"])
    host: Host
    port: Port = 587
    security: Security = "starttls"
    sender_name: Name = Field(examples=["Hoa Sen"])
    sender_address: SenderAddress
    username: Credential | None = None
    password: Credential | None = None


def _kind_of(value: Any) -> str:
    kind = value.get("kind") if isinstance(value, dict) else getattr(value, "kind", None)
    return "email" if kind == "email" else "platform"


ConnectionCreate = Annotated[
    Annotated[PlatformConnectionCreate, Tag("platform")]
    | Annotated[EmailConnectionCreate, Tag("email")],
    Discriminator(_kind_of),
]


_RESTATED: Final = (
    "Enter it again with another `host`, `port` or `security`: what is kept is sent to no other"
    " server"
)


class ConnectionPatch(Body):
    """A change: what is absent stays as it is. Only fields of the connection's own kind."""

    name: Name | None = None
    active: bool | None = None
    emails_verified: EmailsVerified | None = None
    access_token: Credential | None = Field(default=None, description=_ASKED_WITH)
    host: Host | None = None
    port: Port | None = None
    security: Security | None = None
    sender_name: Name | None = None
    sender_address: SenderAddress | None = None
    username: Credential | None = Field(default=None, description=_RESTATED)
    password: Credential | None = Field(default=None, description=_RESTATED)


class EmailChannelRead(BaseModel):
    """The SMTP account of an e-mail connection, without its password."""

    host: str
    port: int
    security: Security
    sender_name: str
    sender_address: str
    has_credentials: bool


class ConnectionRead(BaseModel):
    """A platform or an e-mail account, without its secrets."""

    id: UUID
    object: Literal["connection"] = "connection"
    kind: ConnectionKind
    platform: Platform | None
    name: str
    active: bool
    hook_url: str | None = Field(
        description="Where the platform shall deliver its webhooks",
        examples=["https://care.example.com/v1/hooks/shopify/0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00"],
    )
    emails_verified: bool | None
    store: str | None = Field(description="The store that is asked for what deliveries only name")
    has_access_token: bool
    previous_secret_until: datetime | None = Field(
        description="Until then deliveries signed with the secret before the last rotation pass"
    )
    email: EmailChannelRead | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, record: ConnectionRecord, *, public_url: str) -> Self:
        """The connection of a record."""
        is_email = record.kind == "email"
        email = {name: record.options[name] for name in EMAIL_OPTIONS} if is_email else None
        hook_url = None if is_email else f"{public_url}/v1/hooks/{record.platform}/{record.id}"
        return cls(
            id=record.id,
            kind=record.kind,
            platform=Platform(record.platform) if record.platform else None,
            name=record.name,
            active=record.active,
            hook_url=hook_url,
            emails_verified=None if is_email else record.options["emails_verified"],
            store=record.options.get("store"),
            has_access_token=record.sealed_access_token is not None,
            previous_secret_until=record.previous_secret_until,
            email=EmailChannelRead(**email, has_credentials=record.sealed_secret is not None)
            if email
            else None,
            created_at=record.created_at,
            updated_at=record.updated_at,
            version=record.version,
        )


class ConnectionCreated(ConnectionRead):
    """A new connection, and the only time that its signing secret is told."""

    secret: str | None = Field(description="What the platform signs with; null for e-mail")


class RotationCreate(Body):
    """A new signing secret."""

    secret: SigningSecret | None = Field(default=None, description="Made up here if absent")
    keep_old_for: Annotated[
        int, Field(ge=0, le=7 * 24 * 3600, description="Seconds that the old one stays valid")
    ] = 24 * 3600


class RotationRead(BaseModel):
    """The new secret, told this once."""

    object: Literal["rotation"] = "rotation"
    connection_id: UUID
    secret: str
    previous_secret_until: datetime | None
