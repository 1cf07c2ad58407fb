"""A field that a shop has defined."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

from shared.contracts.customer import CustomFieldState, FieldSensitivity
from shared.pii import kind_by_name

FieldType = Literal["text", "number", "money", "date", "boolean", "enum", "multi_enum", "url"]
ValueColumn = Literal["text_value", "number_value", "date_value"]

_COLUMN_OF: Mapping[FieldType, ValueColumn] = {
    "number": "number_value",
    "money": "number_value",
    "date": "date_value",
}


@dataclass(frozen=True, slots=True)
class CustomField:
    """One row of `custom_field`, without its tenant."""

    id: UUID
    key: str
    type: FieldType
    label: Mapping[str, str]
    description: str | None
    options: Sequence[Mapping[str, Any]]
    currency: str | None
    required: bool
    is_unique: bool
    sensitivity: FieldSensitivity
    archived_at: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The field in a row of `FIELD_COLUMNS`."""
        return cls(*row)

    @property
    def unique(self) -> bool:
        """Whether no two customers have one value, as the API names it."""
        return self.is_unique

    @property
    def is_personal(self) -> bool:
        """Whether its values are masked for callers without `pii:read`, who may not ask either."""
        return self.sensitivity != "none" or kind_by_name(self.key) is not None

    def state(self) -> CustomFieldState:
        """The field as other services know it."""
        return CustomFieldState(
            field_id=self.id, key=self.key, sensitivity=self.sensitivity, version=self.version
        )

    @property
    def column(self) -> ValueColumn:
        """The column that its values are found by."""
        return _COLUMN_OF.get(self.type, "text_value")

    @property
    def option_values(self) -> list[str]:
        """What may be chosen, of a field with options."""
        return [option["value"] for option in self.options]


FIELD_COLUMNS = tuple(field.name for field in fields(CustomField))
