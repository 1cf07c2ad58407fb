"""Who said what of a customer, and whom to believe, as clients read and write it."""

from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, field_validator
from pydantic_core import PydanticCustomError

from services.customer.customers.profile import PROFILE_FIELDS
from services.customer.customers.says import FIELD_COLUMNS
from services.customer.customers.schemas import Source
from shared.bodies import Body
from shared.pii import pii

KIND: Final = "source_priority"
"""What the jobs are called that decide anew of everybody."""

_FIELDS: Final = frozenset((*FIELD_COLUMNS, *PROFILE_FIELDS))
FieldName = Annotated[
    str,
    StringConstraints(pattern=r"^(attributes\.)?[a-z][a-z0-9_]{0,63}$"),
    Field(examples=["tax_code"], description="A field, or `attributes.<name>`"),
]
SourceOrder = Annotated[
    list[Source],
    Field(max_length=50, examples=[["staff", "erp", "shopify"]]),
]


class SayRead(BaseModel):
    """What one source holds a field to be."""

    source: str = Field(
        examples=["shopify:0199d6a2-b1c9-7e4f-9b1f-3b0a5a2f8c11"],
        description="`staff`, `api`, the name of a system, or a platform with its connection",
    )
    staff_id: UUID | None = Field(description="Who it was, where staff said it")
    at: datetime = Field(description="Since when: the source's own time, if it has told")
    value: Annotated[Any, pii("words")] = Field(description="Null: that it is nothing")


class LostSayRead(SayRead):
    """What another source holds it to be."""

    overruled: bool = Field(
        description="Somebody has changed the field since: it counts again when the source says it"
    )


class FieldProvenanceRead(SayRead):
    """Who said what a field is now, and what others hold it to be."""

    field: str = Field(examples=["name"])
    others: list[LostSayRead] = Field(description="What does not count, the newest first")


class ProvenanceRead(BaseModel):
    """Who said what of a customer, field by field."""

    object: Literal["customer_provenance"] = "customer_provenance"
    customer_id: UUID
    data: list[FieldProvenanceRead]


class SourcePriorityWrite(Body):
    """Whom to believe. Sources that are not named come after those that are, and are alike."""

    sources: SourceOrder = Field(
        default_factory=lambda: ["staff"],
        description="The first is believed first; `staff` are people who change a customer by "
        "hand. A platform without a connection stands for all of its shops",
    )
    fields: Annotated[dict[FieldName, SourceOrder], Field(max_length=100)] = Field(
        default_factory=dict,
        description="The order for single fields, in place of the general one",
        examples=[{"tax_code": ["erp", "staff"]}],
    )

    @field_validator("sources")
    @classmethod
    def _each_source_once(cls, sources: list[str]) -> list[str]:
        return list(dict.fromkeys(sources))

    @field_validator("fields")
    @classmethod
    def _known_fields(cls, fields: dict[str, list[str]]) -> dict[str, list[str]]:
        unknown = [n for n in fields if n not in _FIELDS and not n.startswith("attributes.")]
        if unknown:
            raise PydanticCustomError(
                "unknown_field", "There is no field {name}", {"name": unknown[0]}
            )
        return {name: list(dict.fromkeys(order)) for name, order in fields.items()}


class SourcePriorityRead(BaseModel):
    """Whom the shop believes."""

    object: Literal["source_priority"] = "source_priority"
    sources: list[str]
    fields: dict[str, list[str]]
    updated_at: datetime | None = Field(description="Null: as every shop begins")
    version: int
