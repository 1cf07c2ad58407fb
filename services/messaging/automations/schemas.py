"""Automations as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.messaging.automations.records import (
    Automation,
    AutomationStatus,
    Occurrence,
    Trigger,
)
from services.messaging.policies.records import Channel, Promotional
from services.messaging.templates.records import TemplateKey
from shared.bodies import Body
from shared.text import Name
from shared.web.patches import NeverNull

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
SegmentKey = Annotated[
    str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,99}$"), Field(examples=["new_customers"])
]
NamedChannel = Annotated[
    Channel | None, Field(description="Null: by what each customer prefers, else the shop's order")
]
Delay = Annotated[int, Field(ge=0, le=60 * 24 * 90, description="Minutes from trigger to message")]


class AutomationCreate(Body):
    """A new automation; it is active at once unless said otherwise."""

    key: Key = Field(examples=["win_back_gold"])
    name: Name = Field(examples=["Win back gold customers"])
    status: AutomationStatus = "active"
    trigger: Trigger = "segment_entered"
    segment_key: SegmentKey
    template: TemplateKey
    message_class: Promotional = Field(
        default="care", description="Both need the customer's consent and meet the caps"
    )
    channel: NamedChannel = None
    occurrence: Occurrence = Field(
        default="once", description="`once` per customer, ever, or at `every_entry`"
    )
    delay_minutes: Delay = 0
    cancel_on_exit: bool = Field(
        default=False, description="Leaving the segment calls off what has not been sent"
    )


class AutomationPatch(Body):
    """What is absent stays as it is; only the channel can be cleared."""

    name: Annotated[Name | None, NeverNull()] = None
    segment_key: Annotated[SegmentKey | None, NeverNull()] = None
    template: Annotated[TemplateKey | None, NeverNull()] = None
    message_class: Annotated[Promotional | None, NeverNull()] = None
    channel: NamedChannel = None
    occurrence: Annotated[Occurrence | None, NeverNull()] = None
    delay_minutes: Annotated[Delay | None, NeverNull()] = None
    cancel_on_exit: Annotated[bool | None, NeverNull()] = None


class AutomationAudit(BaseModel):
    """What became of every message that an automation planned.

    `planned` is always the sum of `sent`, `suppressed`, `failed`, `unknown`, `cancelled` and
    `in_flight`; `reasons` says why those that were not sent were not, or have to wait.
    """

    object: Literal["automation_audit"] = "automation_audit"
    automation_id: UUID
    planned: int = 0
    sent: int = 0
    suppressed: int = 0
    failed: int = 0
    unknown: int = 0
    cancelled: int = 0
    in_flight: int = 0
    reasons: dict[str, int] = Field(default_factory=dict, examples=[{"NO_CONSENT": 12}])


class AutomationRead(BaseModel):
    """What is sent by itself when a customer enters a segment."""

    id: UUID
    object: Literal["automation"] = "automation"
    version: int
    key: str
    name: str
    status: AutomationStatus
    allowed_transitions: list[AutomationStatus]
    trigger: Trigger
    segment_key: str
    template: str
    message_class: Promotional
    channel: NamedChannel
    occurrence: Occurrence
    delay_minutes: int
    cancel_on_exit: bool
    created_at: datetime
    updated_at: datetime

    @classmethod
    def of(cls, automation: Automation) -> Self:
        """What clients see of an automation."""
        made = {"object", "template", "channel", "allowed_transitions"}
        plain = set(cls.model_fields) - made
        return cls(
            **{name: getattr(automation, name) for name in plain},
            template=automation.template_key,
            channel=automation.channel if automation.names_channel else None,
            allowed_transitions=["paused" if automation.status == "active" else "active"],
        )
