"""Outcomes as clients write and read them."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from shared.bodies import Body
from shared.text import TextRule
from shared.web.patches import NeverNull

MOST_OUTCOMES: Final = 200

OutcomeKey = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_-]{0,39}$"),
    Field(examples=["call_again"]),
]
OutcomeName = Annotated[str, TextRule(max_length=80)]
OutcomeTone = Literal["positive", "neutral", "negative"]
OutcomeSubject = Literal[
    "interaction",
    "interaction.call",
    "interaction.chat",
    "interaction.visit",
    "interaction.email",
    "interaction.message",
    "interaction.meeting",
    "interaction.other",
    "task",
    "task.follow_up",
    "task.call",
    "task.message",
    "task.other",
    "appointment",
]
OutcomeSubjects = Annotated[
    list[OutcomeSubject],
    Field(
        min_length=1,
        max_length=14,
        description="What it can be the outcome of: `task` is any task, `task.call` a call",
        examples=[["interaction.call", "task.call"]],
    ),
]


class OutcomeLabel(Body):
    """What an outcome is called in our languages; without English the Vietnamese is shown."""

    vi: OutcomeName = Field(examples=["Hẹn gọi lại"])
    en: OutcomeName | None = Field(default=None, examples=["Call again"])


class OutcomeFollowUp(Body):
    """The task that an outcome gives rise to, for whoever had it, with the same customer."""

    after_minutes: Annotated[int, Field(ge=0, le=525_600, description="When it falls due")]
    kind: Literal["follow_up", "call", "message", "other"] = "follow_up"
    title: OutcomeName | None = Field(default=None, description="The outcome's label, unless said")


class OutcomeCreate(Body):
    """A word that the shop has for what came of something."""

    key: OutcomeKey
    label: OutcomeLabel
    applies_to: OutcomeSubjects
    tone: OutcomeTone = "neutral"
    active: bool = Field(default=True, description="While it is not, nothing new can have it")
    ends_calls: bool = Field(
        default=False,
        description="The other open calls of the person are called off: a wrong number, say",
    )
    follow_up: OutcomeFollowUp | None = None


class OutcomePatch(Body):
    """A change: what is absent stays as it is. The key stays: it is what was written down."""

    label: Annotated[OutcomeLabel | None, NeverNull()] = None
    applies_to: Annotated[OutcomeSubjects | None, NeverNull()] = None
    tone: Annotated[OutcomeTone | None, NeverNull()] = None
    active: Annotated[bool | None, NeverNull()] = None
    ends_calls: Annotated[bool | None, NeverNull()] = None
    follow_up: OutcomeFollowUp | None = None


class OutcomeRead(BaseModel):
    """A word that the shop has for what came of something."""

    id: UUID
    object: Literal["outcome"] = "outcome"
    key: str
    label: OutcomeLabel
    applies_to: list[OutcomeSubject]
    tone: OutcomeTone
    active: bool
    ends_calls: bool
    follow_up: OutcomeFollowUp | None
    created_at: datetime
    updated_at: datetime
    version: int


class OutcomeList(BaseModel):
    """All outcomes, the oldest first."""

    data: list[OutcomeRead]
