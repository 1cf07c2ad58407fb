"""Assignment rules as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.customer.assignment.choosing import Strategy
from services.customer.tenants.shops import ValueTier
from shared.bodies import Body
from shared.text import Name, NormalisedStr, TextRule
from shared.web.patches import NeverNull

RuleSource = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,79}$")]
RuleTag = Annotated[str, TextRule(max_length=64)]
Skill = Annotated[str, TextRule(max_length=64), Field(examples=["tiếng Anh"])]
Skills = Annotated[list[Skill], Field(max_length=50)]
StaffIds = Annotated[list[UUID], Field(min_length=1, max_length=100)]
Position = Annotated[int, Field(ge=0, le=10_000, description="Rules are tried from the lowest on")]
TimeOfDay = Annotated[
    str,
    StringConstraints(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]$|^24:00$"),
    Field(examples=["08:00"]),
]


class RuleConditions(Body):
    """What a customer must be for the rule; all that are given must hold, one of each list."""

    sources: Annotated[list[RuleSource], Field(max_length=50)] = Field(default_factory=list)
    provinces: Annotated[list[NormalisedStr], Field(max_length=100)] = Field(default_factory=list)
    tags: Annotated[list[RuleTag], Field(max_length=50)] = Field(default_factory=list)
    value_tiers: Annotated[list[ValueTier], Field(max_length=4)] = Field(default_factory=list)


class AssignmentRuleCreate(Body):
    """Who gets which new customers."""

    name: Name = Field(examples=["Miền Nam"])
    position: Position = 100
    active: bool = True
    conditions: RuleConditions = Field(default_factory=RuleConditions)
    strategy: Strategy = Field(
        default="round_robin",
        description="`round_robin`: in turn; `least_load`: who has the fewest customers; `fixed`: "
        "the first who is there",
    )
    staff_ids: StaffIds
    on_shift_only: bool = Field(
        default=False, description="Only who works now, on the shop's clocks, gets customers"
    )
    skills: Skills = Field(
        default_factory=list, description="Only who can do all of this gets customers"
    )


class AssignmentRulePatch(Body):
    """A change: what is absent stays as it is."""

    name: Annotated[Name | None, NeverNull()] = None
    position: Annotated[Position | None, NeverNull()] = None
    active: Annotated[bool | None, NeverNull()] = None
    conditions: Annotated[RuleConditions | None, NeverNull()] = None
    strategy: Annotated[Strategy | None, NeverNull()] = None
    staff_ids: Annotated[StaffIds | None, NeverNull()] = None
    on_shift_only: Annotated[bool | None, NeverNull()] = None
    skills: Annotated[Skills | None, NeverNull()] = None


class RuleConditionsRead(BaseModel):
    """What a customer must be for the rule."""

    sources: list[str]
    provinces: list[str]
    tags: list[str]
    value_tiers: list[str]


class AssignmentRuleRead(BaseModel):
    """Who gets which new customers."""

    id: UUID
    object: Literal["assignment_rule"] = "assignment_rule"
    name: str
    position: int
    active: bool
    conditions: RuleConditionsRead
    strategy: Strategy
    staff_ids: list[UUID]
    on_shift_only: bool
    skills: list[str]
    last_staff_id: UUID | None = Field(description="Whose turn it was last")
    created_at: datetime
    updated_at: datetime
    version: int


class AssignmentQuestion(Body):
    """A customer that there might be."""

    source: RuleSource = "api"
    province: NormalisedStr | None = None
    tags: Annotated[list[RuleTag], Field(max_length=50)] = Field(default_factory=list)
    value_tier: ValueTier = "standard"


class AssignmentAnswer(BaseModel):
    """Who would get the customer, and why."""

    object: Literal["assignment_answer"] = "assignment_answer"
    owner_id: UUID | None = Field(description="Null: no rule says, it would be nobody's")
    rule_id: UUID | None
    explanation: dict[str, Any]


class ShiftWrite(Body):
    """When somebody works on one day of the week, on the shop's clocks."""

    weekday: Annotated[int, Field(ge=1, le=7, description="1 is Monday")]
    starts: TimeOfDay
    ends: TimeOfDay = Field(description="Not included; a night shift is two shifts")


class ShiftsWrite(Body):
    """When somebody works in a week."""

    shifts: Annotated[list[ShiftWrite], Field(max_length=50)]


class ShiftRead(BaseModel):
    """When somebody works on one day of the week."""

    weekday: int
    starts: str
    ends: str


class ShiftsRead(BaseModel):
    """When somebody works in a week, on the shop's clocks."""

    staff_id: UUID
    object: Literal["shifts"] = "shifts"
    shifts: list[ShiftRead]


class SkillsWrite(Body):
    """What somebody can do."""

    skills: Skills


class SkillsRead(BaseModel):
    """What somebody can do, in the shop's own words."""

    staff_id: UUID
    object: Literal["skills"] = "skills"
    skills: list[str]


class AssignmentRead(BaseModel):
    """That a customer, or a task or an appointment of theirs, was given to somebody, and why."""

    id: UUID
    object: Literal["assignment"] = "assignment"
    customer_id: UUID
    subject: Literal["customer", "task", "appointment"]
    subject_id: UUID | None = Field(description="The task or appointment, where it was one")
    from_owner_id: UUID | None
    to_owner_id: UUID
    rule_id: UUID | None
    job_id: UUID | None
    explanation: dict[str, Any]
    assigned_at: datetime
