"""Decisions about the words that a shop has for outcomes."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.outcomes.errors import TooManyOutcomes
from services.customer.outcomes.repository import OutcomeRepository
from services.customer.outcomes.schemas import (
    MOST_OUTCOMES,
    OutcomeCreate,
    OutcomePatch,
    OutcomeRead,
)
from shared.audit.trail import AuditEntry
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version


class OutcomeService:
    """What a shop can decide about its outcomes."""

    def __init__(self, *, uow: UnitOfWork, outcomes: OutcomeRepository) -> None:
        self._uow = uow
        self._outcomes = outcomes

    async def list_all(self) -> list[OutcomeRead]:
        """Every outcome, the oldest first."""
        return [outcome_view(row) for row in await self._outcomes.all()]

    async def get(self, outcome_id: UUID) -> OutcomeRead:
        """Raises OutcomeNotFound."""
        return outcome_view(await self._outcomes.get(outcome_id))

    async def create(self, given: OutcomeCreate) -> OutcomeRead:
        """A new outcome. Raises OutcomeKeyTaken, TooManyOutcomes."""
        if len(await self._outcomes.all()) >= MOST_OUTCOMES:
            raise TooManyOutcomes
        now = self._uow.clock.now()
        timed = {"created_at": now, "updated_at": now, "version": 1}
        row = await self._outcomes.add({"id": new_id(), **_columns(given.model_dump()), **timed})
        self._uow.record(AuditEntry.of("outcome", row.id))
        return outcome_view(row)

    async def change(
        self, outcome_id: UUID, given: OutcomePatch, *, expected_version: int | None
    ) -> OutcomeRead:
        """The outcome after the change. Raises OutcomeNotFound, PreconditionFailed."""
        before = await self._outcomes.get(outcome_id, lock=True)
        check_version(before.version, expected_version)
        said = _columns(given.model_dump(include=given.model_fields_set))
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return outcome_view(before)
        changes["updated_at"] = self._uow.clock.now()
        after = await self._outcomes.save(outcome_id, changes)
        self._uow.record(AuditEntry.of("outcome", outcome_id))
        return outcome_view(after)

    async def remove(self, outcome_id: UUID, *, expected_version: int | None) -> None:
        """Forget an outcome; what has its word keeps it. Raises OutcomeNotFound."""
        before = await self._outcomes.get(outcome_id, lock=True)
        check_version(before.version, expected_version)
        await self._outcomes.remove(outcome_id)
        self._uow.record(AuditEntry.of("outcome", outcome_id))


def outcome_view(row: Row[*tuple[Any, ...]]) -> OutcomeRead:
    """The outcome in a row."""
    follow_up = None
    if row.follow_up_minutes is not None:
        follow_up = {
            "after_minutes": row.follow_up_minutes,
            "kind": row.follow_up_kind,
            "title": row.follow_up_title,
        }
    return OutcomeRead.model_validate({**row._mapping, "follow_up": follow_up})


def _columns(said: Mapping[str, Any]) -> dict[str, Any]:
    columns = dict(said)
    if "applies_to" in columns:
        columns["applies_to"] = sorted(set(columns["applies_to"]))
    if "follow_up" in columns:
        follow_up = columns.pop("follow_up") or {}
        columns["follow_up_minutes"] = follow_up.get("after_minutes")
        columns["follow_up_kind"] = follow_up.get("kind")
        columns["follow_up_title"] = follow_up.get("title")
    return columns
