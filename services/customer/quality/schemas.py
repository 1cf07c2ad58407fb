"""Data quality as clients read it, and what a shop decides about it."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from services.customer.quality.rewriting import Rewriting
from services.customer.quality.rules import Problem, RuleName
from shared.bodies import Body
from shared.pii import pii

KIND: Final = "quality_review"
"""What the jobs are called that judge every customer anew."""

Weight = Annotated[int, Field(ge=0, le=100)]


class RuleResult(BaseModel):
    """How far a customer meets a rule."""

    rule: RuleName
    weight: int = Field(description="What it counts in the score", examples=[25])
    met: float = Field(description="0, 0.5 or 1", examples=[0.5])


class ProblemRead(BaseModel):
    """Something that is missing or wrong."""

    code: Problem
    field: str = Field(description="The customer's field that it is about", examples=["email"])
    how_to_mend: str = Field(
        description="In the language of `Accept-Language`, Vietnamese if it names neither",
        examples=["Tên miền e-mail gõ nhầm: sửa lại."],
    )
    suggestion: Annotated[str | None, pii("contact")] = Field(
        description="What the field should most likely be, where that can be told"
    )


class CustomerQualityRead(BaseModel):
    """How good what we know of a person is, as it is now."""

    customer_id: UUID = Field(description="The record that stands for the person")
    object: Literal["customer_quality"] = "customer_quality"
    source: str
    score: int = Field(description="From 0 to 100", examples=[70])
    rules: list[RuleResult] = Field(description="Those that apply, and make up the score")
    problems: list[ProblemRead]
    rewritings: list[Rewriting] = Field(
        description="How their numbers, e-mail addresses and addresses were rewritten, each once"
    )


class CustomerWithProblem(BaseModel):
    """A customer who has a problem, as last judged."""

    customer_id: UUID
    object: Literal["customer_problems"] = "customer_problems"
    code: str = Field(examples=["KH000123"])
    name: Annotated[str | None, pii("name")]
    source: str
    score: int
    problems: list[Problem]
    judged_at: datetime


class ProblemShare(BaseModel):
    """How many customers of a source have a problem."""

    problem: Problem
    customers: int
    share: float = Field(description="Of the customers of the source, from 0 to 1", examples=[0.25])


class RewritingCount(BaseModel):
    """How many numbers or addresses of a source were rewritten so."""

    rewriting: Rewriting
    count: int


class SourceQuality(BaseModel):
    """How good what one source told is."""

    source: str
    customers: int
    average_score: float = Field(examples=[61.5])
    problems: list[ProblemShare] = Field(description="The commonest first")
    rewritings: list[RewritingCount]


class QualityReport(BaseModel):
    """The quality of all data, by who told it: the source that a customer is first known from."""

    object: Literal["quality_report"] = "quality_report"
    customers: int
    average_score: float | None = Field(description="Null while nobody was judged")
    data: list[SourceQuality]


class QualityWeights(Body):
    """What the rules weigh; the score is the share of what is met. 0: the rule does not count."""

    contact_reachable: Weight = 25
    contact_verified: Weight = 15
    name_complete: Weight = 15
    phone_usable: Weight = 10
    email_usable: Weight = 10
    birth_date_plausible: Weight = 5
    address_resolved: Weight = 10
    consent_known: Weight = 5
    fresh: Weight = 5


class QualityPolicyPut(Body):
    """What a shop decides about the quality of its data."""

    weights: QualityWeights = Field(default_factory=QualityWeights)


class QualityPolicyRead(BaseModel):
    """What a shop has decided about the quality of its data."""

    object: Literal["quality_policy"] = "quality_policy"
    weights: Mapping[RuleName, int]
    version: int
