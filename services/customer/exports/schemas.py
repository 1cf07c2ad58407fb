"""Exports as clients ask for them."""

from typing import Annotated, Final, Literal

from pydantic import Field, StrictBool, StrictFloat, StrictInt

from services.customer.customers.filtering import CustomerConditions, FieldQuestions
from services.customer.customers.ordering import NEWEST, SortText
from services.customer.fields.filtering import Operator
from services.customer.fields.schemas import FieldKey
from shared.bodies import Body
from shared.text import TextRule

KIND: Final = "customer_export"
"""What the jobs are called that write exports of customers."""

ExportFormat = Literal["csv", "ndjson", "jsonl", "xlsx"]
_MOST: Final = 10**15
ExportValue = (
    StrictBool
    | Annotated[StrictInt, Field(ge=-_MOST, le=_MOST)]
    | Annotated[StrictFloat, Field(ge=-_MOST, le=_MOST)]
    | Annotated[str, TextRule(max_length=500)]
)
ExportValues = Annotated[list[ExportValue], Field(min_length=1, max_length=50)]


FieldQuestion = Annotated[
    dict[Operator, ExportValue | ExportValues], Field(min_length=1, max_length=4)
]


class ExportFilter(CustomerConditions, Body):
    """Which customers; all that is given must hold. The same conditions as those of the list."""

    attributes: Annotated[dict[FieldKey, FieldQuestion], Field(max_length=10)] | None = Field(
        default=None,
        description="Conditions on fields of the shop's own, by operator",
        examples=[{"shoe_size": {"gte": 38}}],
    )

    def questions(self) -> FieldQuestions:
        """What is asked of the shop's own fields."""
        return {
            key: {
                operator: value if isinstance(value, list) else [value]
                for operator, value in asked.items()
            }
            for key, asked in (self.attributes or {}).items()
        }


class ExportCreate(Body):
    """What to write into a file."""

    resource: Literal["customers"] = "customers"
    format: ExportFormat = "csv"
    filter: ExportFilter = Field(default_factory=ExportFilter)
    sort: SortText = NEWEST
