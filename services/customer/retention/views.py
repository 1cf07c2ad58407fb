"""Rules and runs as clients see them, and as others are told of them."""

from collections import Counter
from typing import Any

from sqlalchemy import Row

from services.customer.retention.schemas import RetentionRuleRead, RetentionRunRead
from shared.contracts.retention import RetentionRunState


def run_state(row: Row[*tuple[Any, ...]]) -> RetentionRunState:
    """A run that has ended, in figures."""
    amounts: Counter[str] = Counter()
    left_alone: Counter[str] = Counter()
    for rule in row.rules:
        amounts.update(rule["amounts"])
        left_alone.update(rule["left_alone"])
    return RetentionRunState(
        run_id=row.id,
        version=row.version,
        kind=row.kind,
        status=row.status,
        rules=len(row.rules),
        people=sum(rule["people"] or 0 for rule in row.rules),
        amounts=dict(amounts),
        left_alone=dict(left_alone),
        started_at=row.started_at,
        finished_at=row.finished_at,
    )


def rule_view(row: Row[*tuple[Any, ...]]) -> RetentionRuleRead:
    """A rule as clients see it."""
    return RetentionRuleRead.model_validate(row._mapping)


def run_view(row: Row[*tuple[Any, ...]]) -> RetentionRunRead:
    """A run as clients see it."""
    return RetentionRunRead.model_validate({**row._mapping, "job_id": row.id})
