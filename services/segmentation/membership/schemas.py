"""Memberships as clients see them, and the reasons for them."""

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.segmentation.segments.reasons import Reason
from services.segmentation.segments.schemas import DefinedSegment, LocalizedName
from shared.pii import pii


class PreviewRequest(DefinedSegment):
    """A rule to try, or a template with figures to try."""

    sample_size: int = Field(default=10, ge=0, le=100)


class SampleCustomer(BaseModel):
    """Somebody who would belong."""

    customer_id: UUID
    code: str | None = Field(examples=["KH000123"])
    name: Annotated[str | None, pii("name")]


class PreviewRead(BaseModel):
    """Who would belong if the rule were in force now."""

    object: Literal["segment_preview"] = "segment_preview"
    count: int = Field(description="Exactly how many customers match")
    total: int = Field(description="All customers known")
    sample: list[SampleCustomer] = Field(description="Some of them, those known last first")
    as_of: datetime


class MemberRead(BaseModel):
    """A customer who belongs to a segment, or did at the time asked about."""

    object: Literal["segment_member"] = "segment_member"
    customer_id: UUID
    code: str | None = Field(examples=["KH000123"])
    name: Annotated[str | None, pii("name")]
    entered_at: datetime
    rule_version: int = Field(description="The version of the rule they entered under")
    reason: Reason = Field(description="What made them enter")


class MembershipChangeRead(BaseModel):
    """Somebody entered or left."""

    id: UUID
    object: Literal["segment_membership_change"] = "segment_membership_change"
    segment_id: UUID
    customer_id: UUID
    change: Literal["entered", "left"]
    rule_version: int
    reason: Reason
    at: datetime


class ExplanationNode(BaseModel):
    """Why a node of the rule is true, false or unknown for a customer."""

    pointer: str = Field(description="The node in the rule", examples=["/rule/all/0"])
    kind: str = Field(examples=["all", "field", "orders"])
    truth: bool | None = Field(description="null: a value that it needs is unknown")
    asks: str | None = Field(
        description="The field or measure of a leaf", examples=["profile.first_order_at"]
    )
    op: str | None = Field(examples=["within_last"])
    expected: Any = Field(description="What the rule compares with", examples=["P30D"])
    actual: Any = Field(
        description="The customer's value; money as amount and currency; personal data as null "
        "without `pii:read`",
        examples=["2026-11-20T03:30:00Z"],
    )
    evidence: list[UUID] = Field(
        description="The newest orders, tickets or messages that the value is made of"
    )
    children: list["ExplanationNode"]


class ExplanationRead(BaseModel):
    """Why a customer belongs to a segment, or why not."""

    object: Literal["segment_explanation"] = "segment_explanation"
    segment_id: UUID
    customer_id: UUID
    rule_version: int
    matches: bool = Field(description="What the rule says now")
    is_member: bool
    entered_at: datetime | None
    reason: Reason | None = Field(description="What made them enter")
    flips_at: datetime | None = Field(
        description="When time alone will change the answer; null when it will not"
    )
    rule: ExplanationNode
    as_of: datetime


class MembershipRead(BaseModel):
    """A segment that a customer belongs to, with the reason."""

    object: Literal["segment_membership"] = "segment_membership"
    segment_id: UUID
    segment_key: str
    segment_name: LocalizedName
    customer_id: UUID
    entered_at: datetime
    rule_version: int
    reason: Reason = Field(description="What made them enter")
    because: list[ExplanationNode] = Field(
        description="The conditions of the rule that are true of them now, with their values"
    )
    flips_at: datetime | None = Field(
        description="When they will leave if nothing but time passes; null when they will not"
    )


class MembershipList(BaseModel):
    """All segments of a customer."""

    data: list[MembershipRead]


class OverlapRead(BaseModel):
    """How two segments lie to each other."""

    object: Literal["segment_overlap"] = "segment_overlap"
    segment_id: UUID
    other_id: UUID
    both: int
    only_this: int
    only_other: int
