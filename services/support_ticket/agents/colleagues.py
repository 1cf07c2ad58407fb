"""Who works in the teams of a caller who does not see everybody's work."""

from typing import Any, Final

from sqlalchemy import Select, Text, Uuid, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY

from services.support_ticket.agents.models import agent

TENANT: Final = bindparam("tenant", type_=Uuid)
VIEWER: Final = bindparam("viewer", type_=Uuid)
TEAMS: Final = bindparam("viewer_teams", type_=ARRAY(Text))


def all_of(found: Select[Any]) -> Any:
    """The ids that a query finds, as an array: the server asks once per statement."""
    return func.array(found.scalar_subquery(), type_=ARRAY(Uuid))


_TEAMMATES: Final = select(agent.c.id).where(
    agent.c.tenant_id == TENANT, agent.c.team_ids.has_any(TEAMS)
)
COLLEAGUES: Final = func.array_append(all_of(_TEAMMATES), VIEWER, type_=ARRAY(Uuid))
"""The ids of the viewer and of everybody in their teams; for statements with `Sight.parameters`."""
