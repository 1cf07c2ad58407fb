"""SLA policies and the clocks of a ticket, as clients see them."""

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from services.support_ticket.sla.clocks import ClockState, Metric
from shared.bodies import Body
from shared.text import Name

_HOUR: Final = 3600
_LONGEST: Final = 90 * 24 * _HOUR

Priority = Literal["low", "normal", "high", "urgent"]
BusinessSeconds = Annotated[int, Field(ge=60, le=_LONGEST, examples=[3600])]


class SlaTarget(Body):
    """How much business time a ticket of one priority may take, in seconds."""

    model_config = ConfigDict(frozen=True)

    first_response_seconds: BusinessSeconds
    resolution_seconds: BusinessSeconds

    def of(self, metric: Metric) -> timedelta:
        """The target of one metric."""
        seconds = {
            Metric.FIRST_RESPONSE: self.first_response_seconds,
            Metric.RESOLUTION: self.resolution_seconds,
        }
        return timedelta(seconds=seconds[metric])


class SlaTargets(Body):
    """A target for each priority."""

    model_config = ConfigDict(frozen=True)

    low: SlaTarget
    normal: SlaTarget
    high: SlaTarget
    urgent: SlaTarget

    def of(self, priority: Priority) -> SlaTarget:
        """The target of one priority."""
        target: SlaTarget = getattr(self, priority)
        return target


def _target(first_response: float, resolution: float) -> SlaTarget:
    return SlaTarget(
        first_response_seconds=int(first_response * _HOUR),
        resolution_seconds=int(resolution * _HOUR),
    )


# For a shop that is open 13 hours a day: a low ticket is resolved within five such days.
DEFAULT_TARGETS: Final = SlaTargets(
    low=_target(13, 65), normal=_target(4, 26), high=_target(1, 8), urgent=_target(0.5, 4)
)


class SlaPolicyPut(Body):
    """The whole policy."""

    name: Name
    calendar_id: UUID
    targets: SlaTargets


class SlaPolicyRead(BaseModel):
    """What the shop promises. Tickets keep the version under which their episode began."""

    id: UUID
    object: Literal["sla_policy"] = "sla_policy"
    name: str = Field(examples=["Standard"])
    is_default: bool
    calendar_id: UUID
    targets: SlaTargets
    version: int
    created_at: datetime
    updated_at: datetime


class VersionRef(BaseModel):
    """One version of something that has versions."""

    id: UUID
    version: int


class ClockRead(BaseModel):
    """One clock of a ticket's current episode, in seconds of business time."""

    metric: Metric
    state: ClockState
    target_seconds: int
    consumed_seconds: int
    remaining_seconds: int = Field(description="Negative when late")
    started_at: datetime
    due_at: datetime | None = Field(description="Null while paused, unless it was late before")
    ended_at: datetime | None
    is_late: bool


class TicketSlaRead(BaseModel):
    """Where a ticket stands against what was promised, at `as_of`."""

    object: Literal["ticket_sla"] = "ticket_sla"
    ticket_id: UUID
    episode: int
    priority: Priority = Field(description="The priority that the targets are of")
    policy: VersionRef
    calendar: VersionRef
    clocks: list[ClockRead]
    as_of: datetime
