"""Retention rules and their runs as clients write and read them."""

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints

from services.customer.privacy.laws import LawName
from services.customer.privacy.schemas import ErasureReceiptBody
from services.customer.retention.periods import Period
from services.customer.retention.terms import Action, AppliesTo, Reason, RunKind, RunStatus
from shared.bodies import Body
from shared.text import TextRule
from shared.web.patches import NeverNull

KIND: Final = "retention_run"
"""What the jobs are called that follow retention rules."""
FILE_SCOPES: Final = ("retention:read",)
"""What it takes to have the list of a run: it names people by their codes."""
MOST_RULES: Final = 50

DataName = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]*(\.[^\s.][^\n]{0,99})?$", max_length=120),
    Field(examples=["birth_date"]),
]
RuleName = Annotated[str, TextRule(max_length=120), Field(examples=["Khách tiềm năng không mua"])]


RuleData = Annotated[
    list[DataName],
    Field(
        min_length=1,
        max_length=50,
        description="Names of the catalogue; `attributes.<key>` is a field of the shop's own."
        " `record` is the person as a whole and stands alone",
        examples=[["birth_date", "interactions"]],
    ),
]
ClockName = Annotated[
    DataName,
    Field(
        description="What time is counted from, as in the catalogue; `attributes.<key>` is a date"
        " field of the shop's own, such as the end of a contract",
        examples=["last_activity"],
    ),
]
RuleAction = Annotated[
    Action, Field(description="`anonymise` ends the person; `report` only lists what is due")
]
Whom = Annotated[AppliesTo, Field(description="`leads` are those who have never bought")]
IsActive = Annotated[
    bool, Field(description="Whether it is followed every night; a new rule is not")
]


class RetentionRuleCreate(Body):
    """How long something is kept, counted from what, and what becomes of it then."""

    name: RuleName
    data: RuleData
    clock: ClockName
    period: Period
    action: RuleAction = "empty"
    applies_to: Whom = "everybody"
    active: IsActive = False


class RetentionRulePatch(Body):
    """A rule in other words; what is absent stays."""

    name: Annotated[RuleName | None, NeverNull()] = None
    data: Annotated[RuleData | None, NeverNull()] = None
    clock: Annotated[ClockName | None, NeverNull()] = None
    period: Annotated[Period | None, NeverNull()] = None
    action: Annotated[RuleAction | None, NeverNull()] = None
    applies_to: Annotated[Whom | None, NeverNull()] = None
    active: Annotated[IsActive | None, NeverNull()] = None


class RetentionRuleRead(BaseModel):
    """How long something is kept, counted from what, and what becomes of it then."""

    id: UUID
    object: Literal["retention_rule"] = "retention_rule"
    name: str
    data: list[str]
    clock: str
    period: str
    action: Action
    applies_to: AppliesTo
    active: bool
    preset: LawName | None = Field(description="Of which collection it was taken")
    looked_at: datetime | None = Field(
        description="When it was followed last; null until then, and after it was changed"
    )
    created_by: str
    created_at: datetime
    updated_at: datetime
    version: int


class RetentionDatum(BaseModel):
    """Something that rules can speak of."""

    name: str = Field(examples=["interactions"])
    kind: Literal["record", "field", "entries"]
    sensitive: bool = Field(description="Whether the law of Vietnam counts it among the sensitive")
    clocks: list[str] = Field(description="What its time can be counted from")
    minimum: str | None = Field(description="How long the law wants it kept at least")


class RetentionClock(BaseModel):
    """Something that time can be counted from."""

    name: str = Field(examples=["last_activity"])
    meaning: str


class KeptDatum(BaseModel):
    """Something that no rule may touch, and why."""

    name: str
    why: str


class RetentionCatalogue(BaseModel):
    """What the shop's rules can speak of."""

    object: Literal["retention_catalogue"] = "retention_catalogue"
    law: LawName
    data: list[RetentionDatum]
    clocks: list[RetentionClock]
    kept: list[KeptDatum]


class RetentionPresetRule(BaseModel):
    """A rule of a collection."""

    name: str
    data: list[str]
    clock: str
    period: str
    action: Action
    applies_to: AppliesTo


class RetentionPresetRead(BaseModel):
    """Rules that go with a law."""

    name: LawName
    object: Literal["retention_preset"] = "retention_preset"
    rules: list[RetentionPresetRule]


class RetentionPresets(BaseModel):
    """All collections of rules."""

    data: list[RetentionPresetRead]


class RetentionRules(BaseModel):
    """Rules that were made together."""

    data: list[RetentionRuleRead]


class RetentionRunCreate(Body):
    """Which rules to follow now."""

    rule_ids: Annotated[list[UUID], Field(min_length=1, max_length=MOST_RULES)] | None = Field(
        default=None,
        description="All active ones, if none is named; a dry run takes those that rest, too",
    )


class RunRule(BaseModel):
    """A rule as a run has followed it, and what came of it."""

    rule_id: UUID
    name: str
    data: list[str]
    clock: str
    period: str
    action: Action
    applies_to: AppliesTo
    version: int
    status: Literal["waiting", "running", "done", "changed"] = Field(
        description="`changed`: somebody changed or removed it meanwhile, and it was left there"
    )
    looked_at: int = Field(description="How many people or entries were looked at")
    people: int | None = Field(description="Whose time is over; null where entries have their own")
    amounts: dict[str, int] = Field(
        description="How much of each datum: entries, or people who have the field",
        examples=[{"birth_date": 12}],
    )
    left_alone: dict[Reason, int] = Field(
        description="Whose time is over and who keeps it, and why", examples=[{"legal_hold": 1}]
    )


class RetentionRunRead(BaseModel):
    """A run of the retention rules, kept in figures."""

    id: UUID
    object: Literal["retention_run"] = "retention_run"
    job_id: UUID = Field(description="Its list and samples are the job's; the job is forgotten")
    kind: RunKind
    status: RunStatus
    started_by: str
    rules: list[RunRule]
    started_at: datetime
    finished_at: datetime | None
    version: int


class RetentionErasureRead(BaseModel):
    """A person whom a run has ended, and the receipt once every service has confirmed it."""

    id: UUID
    object: Literal["retention_erasure"] = "retention_erasure"
    customer_id: UUID
    ordered_at: datetime
    finished_at: datetime | None
    receipt: ErasureReceiptBody | None
    signature: str | None
