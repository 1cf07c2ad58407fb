"""API keys as clients write and read them."""

from datetime import datetime
from enum import StrEnum
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field
from pydantic_core import PydanticCustomError
from sqlalchemy import Row

from gateway.access.scopes import GRANTABLE
from shared.bodies import Body
from shared.moments import Instant
from shared.text import Name

_IPV4_IN_IPV6_BITS: Final = 96
MOST_OVERLAP_SECONDS: Final = 30 * 24 * 3600


class ApiKeyKind(StrEnum):
    """Whether a key is kept secret, or stands in a web page for everybody to read."""

    SECRET = "secret"  # noqa: S105  (the kind, not one)
    PUBLISHABLE = "publishable"


def _known_scope(scope: str) -> str:
    if scope not in GRANTABLE:
        raise PydanticCustomError("unknown_scope", "Not a scope that a key can be given")
    return scope


def _network(text: str) -> str:
    """The network in its canonical form; an IPv4 one written as IPv6 is an IPv4 one."""
    try:
        network = ip_network(text)
    except ValueError as error:
        raise PydanticCustomError(
            "not_a_network", "An address or a network in CIDR form without host bits"
        ) from error
    inner = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if inner is not None and network.prefixlen >= _IPV4_IN_IPV6_BITS:
        network = IPv4Network((inner, network.prefixlen - _IPV4_IN_IPV6_BITS))
    return str(network)


def _origin(text: str) -> str:
    """The origin as browsers send it: without the port that its scheme has anyway."""
    scheme, _, rest = text.partition("://")
    default = {"https": ":443", "http": ":80"}[scheme]
    return f"{scheme}://{rest.removesuffix(default)}"


Scope = Annotated[str, Field(max_length=64, examples=["customers:read"])]
GrantableScope = Annotated[Scope, AfterValidator(_known_scope)]
AllowedNetwork = Annotated[
    str, Field(max_length=49, examples=["203.0.113.0/24"]), AfterValidator(_network)
]
AllowedNetworks = Annotated[
    list[AllowedNetwork],
    Field(max_length=50, description="From where it may be used; empty is from everywhere"),
]
# Names that are not ASCII are written as browsers send them, in Punycode.
Origin = Annotated[
    str,
    Field(
        max_length=262,
        pattern=(
            r"^(https://[a-z0-9]([a-z0-9.-]*[a-z0-9])?"
            r"|http://(localhost|127\.0\.0\.1|\[::1\]))(:[0-9]{1,5})?$"
        ),
        examples=["https://www.hoasen.example"],
    ),
    AfterValidator(_origin),
]
Origins = Annotated[
    list[Origin],
    Field(max_length=50, description="The pages a publishable key is for; none for a secret one"),
]


class KeyRateLimit(Body):
    """At most so many requests at once, and as many again, evenly, in so many seconds."""

    requests: Annotated[int, Field(ge=1, le=1_000_000, examples=[100])]
    seconds: Annotated[int, Field(ge=1, le=3600, examples=[10])]


_LIMIT: Final = "Instead of the installation's limit per key; the shop's own counts all the same"


class ApiKeyCreate(Body):
    """A new key."""

    kind: ApiKeyKind = ApiKeyKind.SECRET
    name: Name = Field(examples=["Storefront"])
    scopes: Annotated[list[GrantableScope], Field(min_length=1, max_length=len(GRANTABLE))]
    allowed_ips: AllowedNetworks = Field(default_factory=list)
    allowed_origins: Origins = Field(default_factory=list)
    rate_limit: KeyRateLimit | None = Field(default=None, description=_LIMIT)
    expires_at: Instant | None = Field(default=None, description="Never, if absent")


class ApiKeyPatch(Body):
    """A change: what is absent stays as it is. Scopes never change; make another key."""

    name: Name | None = None
    allowed_ips: AllowedNetworks | None = None
    allowed_origins: Origins | None = None
    rate_limit: KeyRateLimit | None = Field(default=None, description="null takes it away")
    expires_at: Instant | None = Field(default=None, description="null is never")


class ApiKeyRotationCreate(Body):
    """How to go from one secret of a key to the next."""

    overlap_seconds: Annotated[
        int,
        Field(ge=0, le=MOST_OVERLAP_SECONDS, description="How long the old secret stays good"),
    ] = 24 * 3600


class ApiKeyRead(BaseModel):
    """A key, without its secret."""

    id: UUID
    object: Literal["api_key"] = "api_key"
    kind: ApiKeyKind
    name: str = Field(examples=["Storefront"])
    hint: str = Field(description="How to recognise it", examples=["cl_...wXyZ"])
    scopes: list[Scope]
    allowed_ips: list[str]
    allowed_origins: list[str]
    rate_limit: KeyRateLimit | None
    created_by: str
    created_at: datetime
    updated_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None
    rotated_at: datetime | None
    previous_until: datetime | None = Field(
        description="Until when the secret before the last rotation is good"
    )
    last_used_at: datetime | None = Field(description="To the minute")
    last_used_ip: str | None
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The key of a row."""
        values = {name: row._mapping[name] for name in API_KEY_COLUMNS}
        # Keys of before there was an `updated_at` have none until they are changed.
        values["updated_at"] = values["updated_at"] or values["created_at"]
        return cls.model_validate(values)


class ApiKeyCreated(ApiKeyRead):
    """A key with its new secret, and the only time that it is told."""

    key: str = Field(description="Send it as `Authorization: Bearer ...`. It is not stored.")


API_KEY_COLUMNS = tuple(name for name in ApiKeyRead.model_fields if name != "object")
