"""SQL of outcomes."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Uuid, bindparam, delete, select, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.outcomes.errors import OutcomeKeyTaken, OutcomeNotFound
from services.customer.outcomes.models import outcome
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_ID: Final = bindparam("id", type_=Uuid)
_ALL: Final = (
    select(outcome)
    .where(outcome.c.tenant_id == _TENANT)
    .order_by(outcome.c.created_at, outcome.c.id)
)
_BY_ID: Final = select(outcome).where(outcome.c.tenant_id == _TENANT, outcome.c.id == _ID)
_LOCK: Final = _BY_ID.with_for_update()
_ADD: Final = (
    insert(outcome)
    .on_conflict_do_nothing(index_elements=["tenant_id", "key"])
    .returning(*outcome.c)
)
_REMOVE: Final = delete(outcome).where(outcome.c.tenant_id == _TENANT, outcome.c.id == _ID)


class OutcomeRepository:
    """Outcomes, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def all(self) -> Sequence[Row[*tuple[Any, ...]]]:
        """Every outcome, the oldest first."""
        return await self._uow.rows(_ALL, self._tenant)

    async def get(self, outcome_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises OutcomeNotFound."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": outcome_id})
        if row is None:
            raise OutcomeNotFound
        return row

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new outcome. Raises OutcomeKeyTaken."""
        row = await self._uow.one_or_none(_ADD, {"tenant_id": self._uow.tenant_id, **columns})
        if row is None:
            raise OutcomeKeyTaken
        return row

    async def save(self, outcome_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The outcome with these columns changed and its version grown."""
        statement = (
            update(outcome)
            .where(outcome.c.tenant_id == self._uow.tenant_id, outcome.c.id == outcome_id)
            .values(**changes, version=outcome.c.version + 1)
            .returning(*outcome.c)
        )
        return await self._uow.one(statement)

    async def remove(self, outcome_id: UUID) -> None:
        """Forget it; what has its word keeps it."""
        await self._uow.execute(_REMOVE, {**self._tenant, "id": outcome_id})
