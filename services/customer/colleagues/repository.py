"""SQL of the projection of the staff."""

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.colleagues.models import colleague
from shared.contracts.gateway import StaffState
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_VIEWER: Final = bindparam("viewer", type_=Uuid)
_TEAMS: Final = bindparam("viewer_teams", type_=ARRAY(Text))

_STATES: Final = RowsParameter("staff", colleague, ("id", "version", "active", "team_ids"))
_given = insert(colleague).from_select(
    ["tenant_id", *_STATES.columns], select(_TENANT, *_STATES.source.c)
)
_UPSERT: Final = _given.on_conflict_do_update(
    index_elements=list(colleague.primary_key.columns),
    set_={name: _given.excluded[name] for name in _STATES.columns if name != "id"},
    where=_given.excluded.version > colleague.c.version,
)
_ACTIVE: Final = select(colleague.c.id).where(
    colleague.c.tenant_id == _TENANT,
    colleague.c.id == bindparam("staff", type_=Uuid),
    colleague.c.active.is_(True),
)
_TEAMMATES: Final = select(colleague.c.id).where(
    colleague.c.tenant_id == _TENANT, colleague.c.team_ids.has_any(_TEAMS)
)
COLLEAGUES: Final = func.array_append(
    func.array(_TEAMMATES.scalar_subquery(), type_=ARRAY(Uuid)), _VIEWER, type_=ARRAY(Uuid)
)
"""The ids of the viewer and of everybody in their teams; for statements with `Sight.parameters`."""


class ColleagueRepository:
    """The staff of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def keep(self, states: Sequence[StaffState]) -> None:
        """Take over newer states."""
        latest = {state.staff_id: state for state in sorted(states, key=lambda s: s.version)}
        rows: list[dict[str, Any]] = [
            {
                "id": state.staff_id,
                "version": state.version,
                "active": state.active,
                "team_ids": [str(team) for team in state.team_ids],
            }
            for state in latest.values()
        ]
        await self._uow.execute(_UPSERT, {"tenant": self._uow.tenant_id, **_STATES.values(rows)})

    async def is_active(self, staff_id: UUID) -> bool:
        """Whether somebody works here, as far as this service was told."""
        parameters = {"tenant": self._uow.tenant_id, "staff": staff_id}
        return await self._uow.scalar(_ACTIVE, parameters) is not None
