"""SQL of the projection of the staff."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Text, bindparam, select
from sqlalchemy.dialects.postgresql import insert

from services.support_ticket.agents.models import agent
from shared.contracts.gateway import StaffState
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork

TAKES_TICKETS = ("owner", "admin", "manager", "agent")

_STATES = RowsParameter(
    "staff", agent, ("id", "version", "name", "email", "role", "active", "team_ids")
)
_given = insert(agent).from_select(
    ["tenant_id", *_STATES.columns],
    select(bindparam("tenant", type_=agent.c.tenant_id.type), *_STATES.source.c),
)
_UPSERT = _given.on_conflict_do_update(
    index_elements=list(agent.primary_key.columns),
    set_={name: _given.excluded[name] for name in _STATES.columns if name != "id"},
    where=_given.excluded.version > agent.c.version,
).returning(agent.c.id, agent.c.name, agent.c.role, agent.c.active)
_BY_ID = select(agent.c.id, agent.c.name, agent.c.role, agent.c.active).where(
    agent.c.tenant_id == bindparam("tenant"), agent.c.id == bindparam("agent")
)
_IN_TEAM = (
    select(agent.c.id)
    .where(
        agent.c.tenant_id == bindparam("tenant"),
        agent.c.team_ids.has_key(bindparam("team", type_=Text)),
    )
    .limit(1)
)
_TAKING = select(agent.c.id).where(
    agent.c.tenant_id == bindparam("tenant"),
    agent.c.active.is_(True),
    agent.c.role.in_(TAKES_TICKETS),
)


@dataclass(frozen=True, slots=True)
class Agent:
    """A member of staff as this service knows them."""

    id: UUID
    name: str
    role: str
    active: bool

    @property
    def takes_tickets(self) -> bool:
        """Whether tickets may be assigned to them."""
        return self.active and self.role in TAKES_TICKETS


class AgentRepository:
    """The staff of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def keep(self, states: Sequence[StaffState]) -> list[Agent]:
        """Take over newer states; those that were newer."""
        latest = {state.staff_id: state for state in sorted(states, key=lambda s: s.version)}
        rows = [_row(state) for state in latest.values()]
        changed = await self._uow.rows(
            _UPSERT, {"tenant": self._uow.tenant_id, **_STATES.values(rows)}
        )
        return [Agent(*row) for row in changed]

    async def find(self, agent_id: UUID) -> Agent | None:
        """A member of staff, active or not."""
        row = await self._uow.one_or_none(
            _BY_ID, {"tenant": self._uow.tenant_id, "agent": agent_id}
        )
        return None if row is None else Agent(*row)

    async def is_team(self, team_id: UUID) -> bool:
        """Whether anybody is in a team, as far as this service was told."""
        parameters = {"tenant": self._uow.tenant_id, "team": str(team_id)}
        return await self._uow.scalar(_IN_TEAM, parameters) is not None

    async def list_taking(self) -> Sequence[UUID]:
        """Everybody whom tickets may be assigned to."""
        return await self._uow.scalars(_TAKING, {"tenant": self._uow.tenant_id})


def _row(state: StaffState) -> dict[str, Any]:
    return {
        "id": state.staff_id,
        **state.model_dump(include={"version", "name", "email", "role", "active"}),
        "team_ids": [str(team) for team in state.team_ids],
    }
