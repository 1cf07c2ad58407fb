"""Segments as clients see them."""

from datetime import datetime
from typing import Annotated, Any, Literal, Self
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, JsonValue, model_validator

from services.segmentation.rules import parse_rule
from services.segmentation.rules.schema import RuleNode
from shared.bodies import Body
from shared.text import Name

SegmentStatus = Literal["active", "paused"]
SegmentKey = Annotated[
    str, Field(pattern="^[a-z][a-z0-9_]{0,62}$", examples=["bought_twice_in_hanoi"])
]
_RULE_EXAMPLE: dict[str, Any] = {
    "all": [
        {"field": "profile.orders_count", "op": "gte", "value": 2},
        {"field": "profile.city", "op": "eq", "value": "Hà Nội"},
    ]
}


def _checked(source: Any) -> Any:
    parse_rule(source, pointer="/body/rule")
    return source


RuleBody = Annotated[RuleNode, BeforeValidator(_checked), Field(examples=[_RULE_EXAMPLE])]
"""A rule in a request, checked to the last name and value. See docs/rules.md."""


class LocalizedName(Body):
    """A name in both languages of the house."""

    model_config = ConfigDict(frozen=True)

    vi: Name = Field(examples=["Khách mua hai lần ở Hà Nội"])
    en: Name = Field(examples=["Bought twice in Hanoi"])


class TemplateUse(Body):
    """A template and the shop's figures for it; what is left out keeps its default."""

    model_config = ConfigDict(frozen=True)

    key: str = Field(max_length=63, examples=["new_customers"])
    parameters: dict[str, JsonValue] = Field(
        default_factory=dict, max_length=20, examples=[{"days": 14}]
    )


class RuleOrTemplate(Body):
    """Says who belongs to a segment, in one of two ways."""

    rule: RuleBody | None = Field(default=None, description="Who belongs to the segment")
    template: TemplateUse | None = Field(
        default=None, description="Instead of a rule: a template with the shop's figures"
    )

    @model_validator(mode="after")
    def _not_both(self) -> Self:
        if self.rule is not None and self.template is not None:
            raise ValueError("give a rule or a template, not both")
        return self

    def source(self) -> dict[str, Any] | None:
        """The rule's JSON, when a rule was given."""
        if self.rule is None:
            return None
        return self.rule.model_dump(mode="json", by_alias=True, exclude_unset=True)


class DefinedSegment(RuleOrTemplate):
    """Something that needs a rule or a template."""

    @model_validator(mode="after")
    def _one_of_them(self) -> Self:
        if self.rule is None and self.template is None:
            raise ValueError("give a rule or a template")
        return self


class SegmentCreate(DefinedSegment):
    """A new segment: a rule of the shop's own, or a template."""

    key: SegmentKey
    name: LocalizedName
    status: SegmentStatus = "active"


class SegmentPatch(RuleOrTemplate):
    """What to change; absent is unchanged."""

    name: LocalizedName | None = None
    status: SegmentStatus | None = None


class SegmentRead(BaseModel):
    """A group of customers that a rule describes. People enter and leave by themselves."""

    id: UUID
    object: Literal["segment"] = "segment"
    key: str = Field(examples=["new_customers"])
    name: LocalizedName
    rule: dict[str, Any] = Field(description="Who belongs to it", examples=[_RULE_EXAMPLE])
    rule_version: int = Field(description="Grows with every change of the rule")
    template: TemplateUse | None = Field(description="Which template made the rule, with what")
    status: SegmentStatus = Field(description="Of a paused segment the members stay as they are")
    members_count: int | None = Field(default=None, description="With `include=members_count` only")
    evaluation_job_id: UUID | None = Field(
        description="The job that still evaluates everybody for it; null when it is up to date"
    )
    version: int
    created_at: datetime
    updated_at: datetime


class SegmentVersionRead(BaseModel):
    """A rule that the segment has or had."""

    object: Literal["segment_version"] = "segment_version"
    segment_id: UUID
    rule_version: int
    rule: dict[str, Any]
    template: TemplateUse | None
    created_by: str = Field(description="Who made it so")
    created_at: datetime


class TemplateParameter(BaseModel):
    """A figure that the shop decides."""

    name: str
    type: Literal["integer", "choice"]
    description: str
    default: int | str
    minimum: int | None = None
    maximum: int | None = None
    options: list[str] | None = None


class SegmentTemplateRead(BaseModel):
    """A segment that most shops want."""

    object: Literal["segment_template"] = "segment_template"
    key: str
    name: LocalizedName
    description: LocalizedName
    parameters: list[TemplateParameter]
    rule: dict[str, Any] = Field(description="The rule with the default figures")


class TemplateList(BaseModel):
    """All templates."""

    data: list[SegmentTemplateRead]


class JobStarted(BaseModel):
    """Work that goes on in the background; `Location` is where to follow it."""

    object: Literal["job_reference"] = "job_reference"
    job_id: UUID
