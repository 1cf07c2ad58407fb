"""Privacy requests as the API shows them."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row

from services.customer.privacy.schemas import PrivacyRequestRead
from services.customer.privacy.steps import allowed_steps
from shared.contracts.privacy import PrivacyRequestState


def request_view(row: Row[*tuple[Any, ...]], now: datetime) -> PrivacyRequestRead:
    """The request in a row, as it stands now."""
    return PrivacyRequestRead.model_validate(
        {
            **row._mapping,
            "overdue": row.closed_at is None and row.due_at <= now,
            "allowed_transitions": allowed_steps(row),
        }
    )


def request_state(row: Row[*tuple[Any, ...]]) -> PrivacyRequestState:
    """What others may know of a request."""
    return PrivacyRequestState.model_validate(
        {**row._mapping, "request_id": row.id, "extended": row.extended_at is not None}
    )
