"""SQL of statistics of care: read off the rows themselves, so they are right whenever asked."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Row,
    Select,
    Text,
    Uuid,
    bindparam,
    cast,
    extract,
    func,
    literal_column,
    select,
    true,
    union_all,
)

from services.customer.appointments.models import appointment
from services.customer.assignment.models import assignment_log
from services.customer.colleagues.repository import COLLEAGUES
from services.customer.interactions.models import interaction
from services.customer.tasks.models import task
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_TENANT: Final = bindparam("tenant", type_=Uuid)
_FROM: Final = bindparam("from_at", type_=Instant)
_UNTIL: Final = bindparam("until_at", type_=Instant)
_NOW: Final = bindparam("now", type_=Instant)
_STAFF: Final = bindparam("staff", type_=Uuid)
_VIEWER: Final = bindparam("viewer", type_=Uuid)
_ZONE: Final = bindparam("timezone", type_=Text)
SUMS: Final = (
    *("contacts", "contact_seconds", "tasks_done", "tasks_done_late", "tasks_overdue"),
    *("appointments_kept", "appointments_missed"),
    *("customers_given", "customers_contacted", "waited_seconds"),
)


def _seconds(earlier: ColumnElement[Any], later: ColumnElement[Any]) -> ColumnElement[Any]:
    return extract("epoch", later - earlier)


def _part(
    table: FromClause,
    staff: ColumnElement[Any],
    at: ColumnElement[Any],
    *conditions: ColumnElement[bool],
    source: FromClause | None = None,
    **sums: ColumnElement[Any],
) -> Select[Any]:
    """What one table adds, per member of staff and day; of the other figures it knows nothing."""
    day = cast(func.timezone(_ZONE, at), Date).label("day")
    columns = [cast(sums.get(name, literal_column("0")), BigInteger).label(name) for name in SUMS]
    return (
        select(staff.label("staff_id"), day, *columns)
        .select_from(table if source is None else source)
        .where(table.c.tenant_id == _TENANT, staff.is_not(None), at >= _FROM, at < _UNTIL)
        .where(*conditions)
        .group_by(staff, literal_column("2"))
    )


def _parts() -> list[Select[Any]]:
    i, t, a, g = interaction.c, task.c, appointment.c, assignment_log.c
    first_contact = (
        select(i.started_at)
        .where(
            i.tenant_id == _TENANT,
            i.customer_id == g.customer_id,
            i.staff_id == g.to_owner_id,
            i.started_at >= g.assigned_at,
        )
        .order_by(i.started_at)
        .limit(1)
        .lateral("first_contact")
    )
    return [
        _part(
            interaction,
            i.staff_id,
            i.started_at,
            contacts=func.count(),
            contact_seconds=func.coalesce(func.sum(i.duration_s), 0),
        ),
        _part(
            task,
            t.assignee_id,
            t.done_at,
            t.status == literal_column("'done'"),
            tasks_done=func.count(),
            tasks_done_late=func.count().filter(t.done_at > t.due_at),
        ),
        _part(
            task,
            t.assignee_id,
            t.due_at,
            t.status == literal_column("'open'"),
            t.due_at < _NOW,
            tasks_overdue=func.count(),
        ),
        _part(
            appointment,
            a.staff_id,
            a.starts_at,
            appointments_kept=func.count().filter(a.status == "kept"),
            appointments_missed=func.count().filter(a.status == "missed"),
        ),
        _part(
            assignment_log,
            g.to_owner_id,
            g.assigned_at,
            source=assignment_log.outerjoin(first_contact, true()),
            customers_given=func.count(),
            customers_contacted=func.count(first_contact.c.started_at),
            waited_seconds=func.coalesce(
                func.sum(_seconds(g.assigned_at, first_contact.c.started_at)), 0
            ),
        ),
    ]


def _report(*conditions: Any) -> Select[Any]:
    found = union_all(*_parts()).subquery("found")
    sums = [func.sum(found.c[name]) for name in SUMS]
    columns = [cast(total, BigInteger).label(name) for name, total in zip(SUMS, sums, strict=True)]
    return (
        select(found.c.staff_id, found.c.day, *columns)
        .where(*(condition(found.c.staff_id) for condition in conditions))
        .group_by(found.c.staff_id, found.c.day)
        .having(func.greatest(*sums) > 0)
        .order_by(found.c.day, found.c.staff_id)
    )


_SEEN: Final = {
    None: (),
    False: (lambda staff: staff == _VIEWER,),
    True: (lambda staff: staff == func.any(COLLEAGUES),),
}
_REPORTS: Final = {
    (of_teams, of_one): _report(*seen, *((lambda staff: staff == _STAFF,) if of_one else ()))
    for of_teams, seen in _SEEN.items()
    for of_one in (False, True)
}


class CareStatisticsRepository:
    """Statistics, inside one unit of work, of the staff whom a caller sees."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None) -> None:
        self._uow = uow
        self._sight = sight

    async def figures(
        self, *, since: datetime, until: datetime, timezone: str, staff_id: Any = None
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The figures per member of staff and day, in the order of the days."""
        of_teams = None if self._sight is None else self._sight.of_teams
        wanted: Mapping[str, Any] = {
            "tenant": self._uow.tenant_id,
            "from_at": since,
            "until_at": until,
            "now": self._uow.clock.now(),
            "timezone": timezone,
            **({"staff": staff_id} if staff_id is not None else {}),
            **(self._sight.parameters() if self._sight is not None else {}),
        }
        return await self._uow.rows(_REPORTS[of_teams, staff_id is not None], wanted)
