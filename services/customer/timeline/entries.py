"""One thing that happened to a customer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from shared.ids import new_id

OWN = "customer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """An entry to be. `data` holds the ids and words that its title and a client need.

    For another service's event `id` is the event's id: told twice, it stands there once.
    """

    customer_id: UUID
    type: str
    occurred_at: datetime
    data: Mapping[str, Any] = field(default_factory=dict)
    source: str = OWN
    id: UUID = field(default_factory=new_id)

    def as_row(self) -> dict[str, Any]:
        """The columns of the row, but for the tenant."""
        return {
            "id": self.id,
            "customer_id": self.customer_id,
            "type": self.type,
            "source": self.source,
            "occurred_at": self.occurred_at,
            "data": dict(self.data),
        }
