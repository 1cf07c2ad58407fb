"""Messages as clients plan and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, EmailStr, Field, model_validator

from services.messaging.channels.choice import ChosenBy, Obstacle
from services.messaging.messages.records import Message, Origin, Status
from services.messaging.policies.records import Channel, MessageClass
from services.messaging.templates.given import Variables
from services.messaging.templates.records import Locale, TemplateKey
from shared.bodies import Body
from shared.pii import pii
from shared.text import Name

Email = Annotated[EmailStr, Field(max_length=254, examples=["duc.nguyen@example.com"])]


class MessageRecipient(Body):
    """Whom a message is to: a customer, an address, or a customer at another address."""

    customer_id: UUID | None = None
    email: Email | None = None
    name: Name | None = Field(default=None, examples=["Nguyễn Văn Đức"])
    locale: Locale | None = None

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if self.customer_id is None and self.email is None:
            raise ValueError("customer_id or email is needed")
        return self


class MessageCreate(Body):
    """A message to be sent as soon as possible."""

    template: TemplateKey
    to: MessageRecipient
    channel: Channel | None = Field(
        default=None,
        description="Left out, it is the customer's preferred channel, or the shop's first one by "
        "which they can be reached; an address in `to` names its channel",
    )
    message_class: MessageClass = Field(
        default="transactional",
        description="`care` and `advertising` need the recipient's consent and meet the caps",
    )
    variables: Variables = Field(default_factory=dict, examples=[{"order": {"number": "#1001"}}])
    reply_to: Email | None = None

    @property
    def named_channel(self) -> Channel | None:
        """The channel that is asked for, by its name or by an address of it."""
        return self.channel or ("email" if self.to.email is not None else None)


class MessageRead(BaseModel):
    """One message to one recipient, and how it went."""

    id: UUID
    object: Literal["message"] = "message"
    version: int
    status: Status
    reason: str | None = Field(
        description="Why it was suppressed, failed or has to wait", examples=["NO_CONSENT"]
    )
    detail: Annotated[str | None, pii("words")] = Field(
        description="What the provider or the template said; providers repeat the address"
    )
    origin: Origin
    origin_id: UUID = Field(description="The automation, ticket message or survey it comes from")
    channel: Channel = Field(
        description="By what it went; until that is chosen, what the shop uses first"
    )
    channel_chosen_by: ChosenBy | None = Field(
        description="`request`: whoever asked named it; `preference`: the customer's preferred "
        "channel; `fallback`: the shop's order. Null until it is chosen, just before sending"
    )
    unmet_preference: str | None = Field(
        description="The customer's preferred channel, when it could not be taken",
        examples=["zalo"],
    )
    unmet_preference_reason: Obstacle | None
    message_class: MessageClass
    template: str
    customer_id: UUID | None
    address: Annotated[str | None, pii("contact")] = Field(
        description="Known once the message was decided on"
    )
    subject: Annotated[str | None, pii("words")] = Field(
        description="As it was rendered, often with the recipient's name"
    )
    attempts: int = Field(description="How often the provider was given the message")
    allowed_transitions: list[Status]
    due_at: datetime
    planned_at: datetime
    finished_at: datetime | None
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, message: Message) -> Self:
        """What clients see of a message."""
        plain = set(cls.model_fields) - {"object", "template", "allowed_transitions"}
        return cls(
            **{name: getattr(message, name) for name in plain},
            template=message.template_key,
            allowed_transitions=["cancelled"] if message.status == "planned" else [],
        )


class DecisionStep(BaseModel):
    """What one rule said, and on what grounds."""

    rule: Literal[
        "address", "suppression", "restriction", "consent", "promised_frequency", "frequency_cap"
    ]
    outcome: Literal["passed", "stopped", "not_applicable"]
    reason: str | None
    evidence: Annotated[dict[str, Any], pii("document")]


class MessageDecision(BaseModel):
    """Why a message was or was not sent. All null while it has not been decided."""

    object: Literal["message_decision"] = "message_decision"
    message_id: UUID
    allowed: bool | None
    reason: str | None = Field(examples=["NO_CONSENT"])
    decided_at: datetime | None
    policy_version: int | None
    template_version: int | None
    channel: Channel
    channel_chosen_by: ChosenBy | None
    unmet_preference: str | None = Field(examples=["zalo"])
    unmet_preference_reason: Obstacle | None
    steps: list[DecisionStep]

    @classmethod
    def of(cls, message: Message) -> Self:
        """What clients see of the decision on a message."""
        told = message.decision or {}
        return cls(
            message_id=message.id,
            allowed=told.get("allowed"),
            reason=told.get("reason"),
            decided_at=told.get("decided_at"),
            policy_version=told.get("policy_version"),
            template_version=told.get("template_version"),
            channel=message.channel,
            channel_chosen_by=message.channel_chosen_by,
            unmet_preference=message.unmet_preference,
            unmet_preference_reason=message.unmet_preference_reason,
            steps=told.get("steps", []),
        )
