"""Customers to be, as the rows of a batch bring them: rows of one person make one customer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from services.customer.customers.identities import Identity
from services.customer.imports.plan import RowOutcome
from services.customer.imports.rows import MOST_TAGS, RowRead


@dataclass(slots=True)
class Newcomer:
    """Who comes with a row; later rows of the same person fill what it left open."""

    id: UUID
    outcome: RowOutcome
    columns: dict[str, Any]
    profile: dict[str, Any]
    attributes: dict[str, Any]
    tags: list[str]
    created_at: datetime | None
    address: str | None
    place: Mapping[str, Any] | None
    identities: list[Identity] = field(default_factory=list)

    @classmethod
    def of(cls, said: RowRead, customer_id: UUID, outcome: RowOutcome) -> Self:
        """Who comes with this row."""
        return cls(
            id=customer_id,
            outcome=outcome,
            columns=dict(said.columns),
            profile=dict(said.profile),
            attributes=dict(said.attributes),
            tags=list(said.tags),
            created_at=said.created_at,
            address=said.address,
            place=said.place,
        )

    def fill(self, said: RowRead) -> None:
        """Take from a later row what is not known yet."""
        self.columns = {**said.columns, **self.columns}
        self.profile = {**said.profile, **self.profile}
        self.attributes = {**said.attributes, **self.attributes}
        self.tags = list(dict.fromkeys([*self.tags, *said.tags]))[:MOST_TAGS]
        self.created_at = self.created_at or said.created_at
        if self.place is None:
            self.address, self.place = said.address, said.place
