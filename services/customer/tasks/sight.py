"""Which tasks a caller sees who does not see all of them.

*Own*: those given to them, made by them, or given to nobody in person. *Team* in addition: those
given to somebody of their teams.
"""

from sqlalchemy import ColumnElement, Uuid, bindparam, func, or_

from services.customer.colleagues.repository import COLLEAGUES
from services.customer.tasks.models import task
from shared.db.merged import Source

_VIEWER = bindparam("viewer", type_=Uuid)


def is_seen(*, of_teams: bool) -> ColumnElement[bool]:
    """The condition on a task; its parameters are `Sight.parameters` and `tenant`."""
    assignee = task.c.assignee_id
    return or_(
        assignee.is_(None),
        assignee == (func.any(COLLEAGUES) if of_teams else _VIEWER),
        task.c.created_by == _VIEWER,
    )


def sources(*, of_teams: bool) -> list[Source]:
    """The same tasks, each alternative as an index has it, for pages."""
    assignee = task.c.assignee_id
    nobodys, made = (
        Source(lambda _: assignee.is_(None)),
        Source(lambda _: task.c.created_by == _VIEWER),
    )
    if of_teams:
        return [Source(lambda staff_id: assignee == staff_id, COLLEAGUES), nobodys, made]
    return [Source(lambda _: assignee == _VIEWER), nobodys, made]
