"""Webhook endpoints, deliveries and attempts as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

import orjson
from pydantic import AfterValidator, BaseModel, Field, StringConstraints
from pydantic_core import PydanticCustomError
from sqlalchemy import Row

from gateway.events.catalogue import FeedEvent, unknown_patterns
from gateway.events.public.house import WebhookEndpointTest
from gateway.events.schemas import EventPattern
from gateway.webhooks.record import DisabledReason, EndpointRecord, WebhookDeliveryStatus
from shared.bodies import Body
from shared.moments import Instant
from shared.pii import pii
from shared.text import TextRule

Url = Annotated[
    str,
    StringConstraints(min_length=9, max_length=2048),
    Field(examples=["https://shop.example.com/hooks/careloop"]),
]
Description = Annotated[str, TextRule(max_length=500)]
HeaderName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9-]{1,64}$")]
HeaderValue = Annotated[
    str, StringConstraints(pattern=r"^[\x21-\x7e]([\x20-\x7e]{0,1022}[\x21-\x7e])?$")
]
RateLimit = Annotated[
    int, Field(ge=1, le=1000, description="Requests a second at most", examples=[50])
]
# What the connection, the body and the signature need is ours to say.
_RESERVED: Final = frozenset(
    {"host", "connection", "transfer-encoding", "te", "trailer", "upgrade", "expect", "cookie"}
    | {"keep-alive", "user-agent", "proxy-authorization", "proxy-connection", "accept-encoding"}
)
_RESERVED_PREFIXES: Final = ("content-", "webhook-")


def _known_types(patterns: list[str]) -> list[str]:
    if unknown := unknown_patterns(patterns):
        raise PydanticCustomError(
            "event_type_unknown", "No public event is called {names}", {"names": ", ".join(unknown)}
        )
    return list(dict.fromkeys(patterns))


def _own_headers(headers: dict[str, str]) -> dict[str, str]:
    for name in headers:
        lower = name.lower()
        if lower in _RESERVED or lower.startswith(_RESERVED_PREFIXES):
            raise PydanticCustomError(
                "header_reserved", "The header {name} cannot be chosen", {"name": name}
            )
    return headers


EventTypes = Annotated[
    list[EventPattern],
    Field(
        min_length=1,
        max_length=50,
        description="Which events: names, `ticket.*`, or `*` for all",
        examples=[["ticket.*", "order.placed"]],
    ),
    AfterValidator(_known_types),
]
Headers = Annotated[
    dict[HeaderName, HeaderValue],
    Field(
        max_length=20,
        description="Sent with every request. Kept encrypted and never shown again",
        examples=[{"X-Environment": "production"}],
    ),
    AfterValidator(_own_headers),
]


class WebhookEndpointCreate(Body):
    """Where to send events."""

    url: Url
    event_types: EventTypes = Field(default_factory=lambda: ["*"])
    description: Description | None = None
    enabled: bool = True
    headers: Headers = Field(default_factory=dict)
    rate_limit: RateLimit | None = None


class WebhookEndpointPatch(Body):
    """A change: what is absent stays as it is; `null` clears a description or a rate limit."""

    url: Url | None = None
    event_types: EventTypes | None = None
    description: Description | None = None
    enabled: bool | None = None
    headers: Headers | None = Field(
        default=None,
        description="All of them anew, `{}` for none. Needed with a `url` of another origin when"
        " there are any: what is kept is sent to no other receiver",
    )
    rate_limit: RateLimit | None = None


class WebhookEndpointRead(BaseModel):
    """Where events are sent, without its secret."""

    id: UUID
    object: Literal["webhook_endpoint"] = "webhook_endpoint"
    url: str
    event_types: list[str]
    description: str | None
    enabled: bool
    disabled_reason: DisabledReason | None = Field(
        description="Why it was switched off by itself: it answered 410, or nothing good for days"
    )
    disabled_at: datetime | None
    header_names: list[str] = Field(description="Headers that are sent along; values stay hidden")
    rate_limit: int | None
    previous_secret_until: datetime | None = Field(
        description="Until then there is a second signature, with the secret before"
    )
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, record: EndpointRecord, *, header_names: list[str]) -> Self:
        """The endpoint of a record."""
        shared = {
            name: getattr(record, name)
            for name in cls.model_fields
            if name not in ("object", "header_names")
        }
        return cls(**shared, header_names=header_names)


class WebhookEndpointCreated(WebhookEndpointRead):
    """A new endpoint with its signing secret."""

    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])


class WebhookSecretRead(BaseModel):
    """What to verify signatures with."""

    object: Literal["webhook_secret"] = "webhook_secret"
    endpoint_id: UUID
    secret: str = Field(examples=["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"])
    previous_secret_until: datetime | None


class SecretRotationCreate(Body):
    """A new signing secret."""

    keep_old_for: Annotated[
        int,
        Field(ge=0, le=7 * 24 * 3600, description="Seconds that the old one signs, too"),
    ] = 24 * 3600


class WebhookDeliveryRead(BaseModel):
    """One event on its way to one endpoint."""

    id: UUID = Field(description="The event's id, sent as `webhook-id` with every attempt")
    object: Literal["webhook_delivery"] = "webhook_delivery"
    endpoint_id: UUID
    position: int | None = Field(description="Of the event in the feed; null for a test event")
    type: str = Field(examples=["ticket.created"])
    status: WebhookDeliveryStatus
    attempts: int
    next_attempt_at: datetime | None
    last_status: int | None = Field(description="HTTP status of the last answer")
    last_error: str | None = Field(description="Why the last attempt failed", examples=["timeout"])
    created_at: datetime
    finished_at: datetime | None

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The delivery of a row."""
        return cls(
            id=row.event_id,
            next_attempt_at=row.due_at,
            **{name: getattr(row, name) for name in DELIVERY_COLUMNS},
        )


DELIVERY_COLUMNS = tuple(
    name
    for name in WebhookDeliveryRead.model_fields
    if name not in ("id", "object", "next_attempt_at")
)


class WebhookAttemptRead(BaseModel):
    """One request, and how it was answered."""

    id: UUID
    object: Literal["webhook_attempt"] = "webhook_attempt"
    endpoint_id: UUID
    event_id: UUID
    number: int
    url: str
    started_at: datetime
    duration_ms: int
    succeeded: bool
    status: int | None = Field(description="HTTP status; null when there was no answer")
    response_headers: dict[str, str] | None
    response_body: Annotated[str | None, pii("address")] = Field(
        default=None, description="The first 4,096 bytes of the answer"
    )
    error: str | None = Field(examples=["timeout"])
    detail: str | None

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The attempt of a row."""
        return cls(
            response_headers=None if row.headers is None else orjson.loads(row.headers),
            response_body=row.body,
            **{name: getattr(row, name) for name in ATTEMPT_COLUMNS},
        )


ATTEMPT_COLUMNS = tuple(
    name
    for name in WebhookAttemptRead.model_fields
    if name not in ("object", "response_headers", "response_body")
)


class WebhookDeliveryDetail(WebhookDeliveryRead):
    """A delivery with what is sent, and the latest attempts."""

    request_body: FeedEvent | WebhookEndpointTest | None = Field(
        description="The event as it is sent; null when it is no longer kept"
    )
    latest_attempts: list[WebhookAttemptRead]


class ReplayCreate(Body):
    """Which events to send again: a range of positions or of time, or of both."""

    what: Literal["failed", "all"] = Field(
        default="failed",
        description="`failed`: what was given up or called off. `all`: every event of the range"
        " that the endpoint's filter lets pass, also what it took and what was never sent",
    )
    after: Annotated[int, Field(ge=0, le=2**62, description="Positions above this one")] = 0
    until: Annotated[
        int | None, Field(ge=0, le=2**62, description="Up to this position, included")
    ] = None
    since: Instant | None = Field(default=None, description="What was recorded from then on")
    before: Instant | None = Field(default=None, description="What was recorded before then")


class ReplayRead(BaseModel):
    """What was put back into the queue."""

    object: Literal["webhook_replay"] = "webhook_replay"
    endpoint_id: UUID
    queued: int
    until: int = Field(description="The range was worked through up to this position")
    has_more: bool = Field(description="Ask again with `after` set to `until`")


class WebhookStatsRead(BaseModel):
    """How an endpoint does."""

    object: Literal["webhook_stats"] = "webhook_stats"
    endpoint_id: UUID
    pending: int = Field(description="Deliveries that wait, 10,000 at most are counted")
    oldest_pending_at: datetime | None
    attempts_24h: int
    succeeded_24h: int
    failed_24h: int
    p50_ms_24h: int | None
    p95_ms_24h: int | None
    failing_since: datetime | None
    consecutive_failures: int
    paused_until: datetime | None = Field(description="The receiver asked for a pause until then")
