"""Whose tickets a caller sees who does not see all of them.

*Own*: assigned to them, or opened by them. *Team* in addition: assigned to somebody of their teams,
meant for one of their teams, in a queue of their teams, or unassigned in a queue that is nobody's
in particular. What a caller does not see does not exist for them.
"""

from typing import Any, Final

from sqlalchemy import ColumnElement, and_, exists, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.types import Uuid

from services.support_ticket.agents.colleagues import COLLEAGUES, TEAMS, TENANT, VIEWER, all_of
from services.support_ticket.queues.models import queue
from services.support_ticket.tickets.models import ticket
from shared.db.merged import Source

_TEAM_IDS: Final = TEAMS.cast(ARRAY(Uuid))
_TEAM_QUEUES: Final = all_of(
    select(queue.c.id).where(queue.c.tenant_id == TENANT, queue.c.team_id == _TEAM_IDS.any_())
)
_OPEN_QUEUES: Final = all_of(
    select(queue.c.id).where(queue.c.tenant_id == TENANT, queue.c.team_id.is_(None))
)
_NOBODYS: Final = and_(ticket.c.assignee_id.is_(None), ticket.c.team_id.is_(None))


def is_seen(*, of_teams: bool) -> ColumnElement[bool]:
    """The condition on a ticket; its parameters are `Sight.parameters` and `tenant`."""
    own = or_(ticket.c.assignee_id == VIEWER, ticket.c.created_by == VIEWER)
    if not of_teams:
        return own
    return or_(
        own,
        ticket.c.assignee_id == func.any(COLLEAGUES),
        ticket.c.team_id == func.any(_TEAM_IDS),
        ticket.c.queue_id == func.any(_TEAM_QUEUES),
        and_(_NOBODYS, ticket.c.queue_id == func.any(_OPEN_QUEUES)),
    )


def ticket_is_seen(ticket_id: ColumnElement[Any], *, of_teams: bool) -> ColumnElement[bool]:
    """The condition on something that belongs to the ticket of this id."""
    return exists().where(
        ticket.c.tenant_id == TENANT, ticket.c.id == ticket_id, is_seen(of_teams=of_teams)
    )


def sources(*, of_teams: bool) -> list[Source]:
    """The same tickets, each alternative as an index has it, for pages."""
    opened = Source(lambda _: ticket.c.created_by == VIEWER)
    if not of_teams:
        return [Source(lambda _: ticket.c.assignee_id == VIEWER), opened]
    return [
        Source(lambda agent_id: ticket.c.assignee_id == agent_id, COLLEAGUES),
        opened,
        Source(lambda team_id: ticket.c.team_id == team_id, _TEAM_IDS),
        Source(lambda queue_id: ticket.c.queue_id == queue_id, _TEAM_QUEUES),
        Source(lambda queue_id: and_(_NOBODYS, ticket.c.queue_id == queue_id), _OPEN_QUEUES),
    ]
