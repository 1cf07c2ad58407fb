"""SQL of what tickets tell of the work of staff."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sqlalchemy import Uuid, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.care_statistics.models import ticket_fact, ticket_owed
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_facts = RowsParameter(
    "fact",
    ticket_fact,
    ("ticket_id", "kind", "mark", "staff_id", "at", "seconds", "is_late", "score"),
)
_ADD: Final = (
    insert(ticket_fact)
    .from_select(["tenant_id", *_facts.columns], select(_TENANT, *_facts.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "ticket_id", "kind", "mark"])
)
_states = RowsParameter(
    "state", ticket_owed, ("ticket_id", "version", "staff_id", "is_open", "due_at")
)
_new = insert(ticket_owed).from_select(
    ["tenant_id", *_states.columns], select(_TENANT, *_states.source.c)
)
_OWE: Final = _new.on_conflict_do_update(
    index_elements=["tenant_id", "ticket_id"],
    set_={name: _new.excluded[name] for name in _states.columns if name != "ticket_id"},
    where=_new.excluded.version > ticket_owed.c.version,
)


class TicketFactRepository:
    """What was done about tickets and is still owed, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, facts: Sequence[Mapping[str, Any]]) -> None:
        """Keep facts; those that are known stay as they are."""
        if facts:
            await self._uow.execute(_ADD, {**self._tenant, **_facts.values(facts)})

    async def owe(self, states: Sequence[Mapping[str, Any]]) -> None:
        """Keep whose tickets are and when they are due, unless something newer is known."""
        if states:
            await self._uow.execute(_OWE, {**self._tenant, **_states.values(states)})
