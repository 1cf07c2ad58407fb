"""Fields that a shop defines, as clients write and read them."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from services.customer.fields.record import FieldType
from shared.bodies import Body
from shared.contracts.customer import FieldSensitivity
from shared.money import CurrencyCode
from shared.pii import pii
from shared.text import TextRule
from shared.web.patches import NeverNull

REBUILD: Final = "custom_field_rebuild"
"""What the jobs are called that read what customers had before a field was defined."""

MOST_FIELDS: Final = 50
MOST_ARCHIVED: Final = 200
MOST_OPTIONS: Final = 100

FieldKey = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$"),
    Field(examples=["shoe_size"], description="What it is called in `attributes`"),
]
FieldLabel = Annotated[str, TextRule(max_length=100)]
FieldDescription = Annotated[str, TextRule(max_length=1000, lines=True)]
OptionValue = Annotated[str, TextRule(max_length=64), Field(examples=["gold"])]


class FieldLabels(Body):
    """What a field is called in our languages; without English the Vietnamese is shown."""

    vi: FieldLabel = Field(examples=["Cỡ giày"])
    en: FieldLabel | None = Field(default=None, examples=["Shoe size"])


class FieldOption(Body):
    """One of the values to choose from."""

    value: OptionValue
    label: FieldLabels


Sensitivity = Annotated[
    FieldSensitivity,
    Field(
        description="`personal` is masked for callers without `pii:read`, of `sensitive` they are "
        "shown nothing, and the audit log names it where others see it. Neither can they filter "
        "or sort by it, nor take the mark away"
    ),
]
FieldOptions = Annotated[list[FieldOption], Field(max_length=MOST_OPTIONS)]


class CustomFieldCreate(Body):
    """A new field of the shop's own. It has one type for good."""

    key: FieldKey
    type: FieldType = "text"
    label: FieldLabels
    description: FieldDescription | None = None
    options: FieldOptions = Field(
        default_factory=list, description="Of `enum` and `multi_enum`; others have none"
    )
    currency: CurrencyCode | None = Field(
        default=None, description="Of `money`; the shop's, unless it is said"
    )
    required: bool = Field(
        default=False, description="Clients must say it of new customers, and cannot clear it"
    )
    unique: bool = Field(
        default=False, description="Of `text` and `url`: no two people have the same value"
    )
    sensitivity: Sensitivity | None = Field(
        default=None,
        description="How personal its values are: `personal` where the key tells of it "
        "(`work_email`, `second_phone`), else `none`, unless it is said",
    )


class CustomFieldPatch(Body):
    """A change: what is absent stays as it is, `null` clears. The key stays.

    Type, currency and `unique` change only while nobody has a value.
    """

    type: Annotated[FieldType | None, NeverNull()] = None
    label: Annotated[FieldLabels | None, NeverNull()] = None
    description: FieldDescription | None = None
    options: Annotated[FieldOptions | None, NeverNull()] = None
    currency: CurrencyCode | None = None
    required: Annotated[bool | None, NeverNull()] = None
    unique: Annotated[bool | None, NeverNull()] = None
    sensitivity: Annotated[Sensitivity | None, NeverNull()] = None
    archived: Annotated[bool | None, NeverNull()] = Field(
        default=None, description="Takes no new values; what is there stays and can be searched"
    )


class CustomFieldRead(BaseModel):
    """A field of the shop's own; its values stand in the `attributes` of customers."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    object: Literal["custom_field"] = "custom_field"
    key: str
    type: FieldType
    label: FieldLabels
    description: str | None
    options: list[FieldOption]
    currency: str | None
    required: bool
    unique: bool
    sensitivity: Sensitivity
    archived_at: datetime | None
    rebuild_job_id: UUID | None = Field(
        default=None,
        description="The job that reads what customers had before this was said of the field; "
        "told when it begins",
    )
    created_at: datetime
    updated_at: datetime
    version: int


class CustomFieldList(BaseModel):
    """All fields, the oldest first."""

    data: list[CustomFieldRead]


class CustomFieldPolicyWrite(Body):
    """What the shop does with attributes that no field defines."""

    strict: bool = Field(description="Clients may say nothing of a customer but what is defined")


class CustomFieldPolicyRead(BaseModel):
    """What the shop does with attributes that no field defines."""

    object: Literal["custom_field_policy"] = "custom_field_policy"
    strict: bool
    updated_at: datetime | None
    version: int


class MisfitRead(BaseModel):
    """What a customer has in a field and cannot have: it is kept as it came, and not found."""

    object: Literal["custom_field_misfit"] = "custom_field_misfit"
    customer_id: UUID
    code: str = Field(examples=["number"], description="What is wrong with it")
    value: Annotated[Any, pii("words")] = Field(description="As it came")
