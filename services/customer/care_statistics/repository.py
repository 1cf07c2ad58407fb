"""SQL of statistics of care: read off the rows themselves, so they are right whenever asked."""

from collections import defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any, Final, Literal, Self
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Date,
    FromClause,
    Row,
    Select,
    Subquery,
    Text,
    Uuid,
    and_,
    bindparam,
    cast,
    extract,
    func,
    literal,
    literal_column,
    null,
    select,
    true,
    union_all,
)
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.appointments.models import appointment
from services.customer.assignment.models import assignment_log, staff_skill
from services.customer.care_statistics.models import NOBODY, ticket_fact, ticket_owed
from services.customer.colleagues.models import colleague
from services.customer.colleagues.repository import COLLEAGUES
from services.customer.customers.models import customer
from services.customer.interactions.models import interaction
from services.customer.tasks.models import task
from shared.db.aliases import stands_for
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

_TENANT: Final = bindparam("tenant", type_=Uuid)
_FROM: Final = bindparam("from_at", type_=Instant)
_UNTIL: Final = bindparam("until_at", type_=Instant)
_NOW: Final = bindparam("now", type_=Instant)
_STAFF: Final = bindparam("staff", type_=Uuid)
_VIEWER: Final = bindparam("viewer", type_=Uuid)
_TEAM: Final = bindparam("team", type_=ARRAY(Text))
_SKILL: Final = bindparam("skill", type_=Text)
_ZONE: Final = bindparam("timezone", type_=Text)
SUMS: Final = (
    *("contacts", "contact_seconds", "tasks_done", "tasks_done_late", "tasks_overdue"),
    *("appointments_kept", "appointments_missed"),
    *("customers_given", "customers_contacted", "waited_seconds"),
    *("tickets_given", "tickets_answered", "tickets_answered_late", "answered_seconds"),
    *("tickets_resolved", "tickets_resolved_late", "tickets_overdue"),
    *("ratings", "happy_ratings", "rating_points"),
)
# Four and five on a scale of five, in hundredths.
_HAPPY: Final = 400


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
    f, o = ticket_fact.c, ticket_owed.c
    given, other = customer.alias("given"), customer.alias("other")
    root_id = stands_for(given)
    others = other.c.tenant_id == _TENANT, other.c.merged_into == root_id
    record = union_all(
        select(root_id.label("id")).correlate(given),
        select(other.c.id).where(*others).correlate(given),
    ).lateral("record")
    # Of each record of the person by the index of its own, and no further than the first.
    of_record = (
        select(i.started_at)
        .where(
            i.tenant_id == _TENANT,
            i.customer_id == record.c.id,
            i.staff_id == g.to_owner_id,
            i.started_at >= g.assigned_at,
        )
        .order_by(i.started_at)
        .limit(1)
        .correlate(assignment_log, record)
        .lateral("of_record")
    )
    first_contact = (
        select(func.min(of_record.c.started_at).label("started_at"))
        .select_from(record.join(of_record, true()))
        .correlate(assignment_log, given)
        .lateral("first_contact")
    )
    given_to_them = assignment_log.join(
        given, and_(given.c.tenant_id == _TENANT, given.c.id == g.customer_id)
    ).join(first_contact, true())
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
            g.subject == literal_column("'customer'"),
            source=given_to_them,
            customers_given=func.count(),
            customers_contacted=func.count(first_contact.c.started_at),
            waited_seconds=func.coalesce(
                func.sum(_seconds(g.assigned_at, first_contact.c.started_at)), 0
            ),
        ),
        _part(
            ticket_fact,
            f.staff_id,
            f.at,
            f.staff_id != literal(NOBODY, Uuid),
            tickets_given=func.count().filter(f.kind == "given"),
            tickets_answered=func.count().filter(f.kind == "answered"),
            tickets_answered_late=func.count().filter(f.kind == "answered", f.is_late),
            answered_seconds=func.coalesce(func.sum(f.seconds), 0),
            tickets_resolved=func.count().filter(f.kind == "resolved"),
            tickets_resolved_late=func.count().filter(f.kind == "resolved", f.is_late),
            ratings=func.count(f.score),
            happy_ratings=func.count().filter(f.score >= _HAPPY),
            rating_points=func.coalesce(func.sum(f.score), 0),
        ),
        _part(
            ticket_owed,
            o.staff_id,
            o.due_at,
            o.is_open,
            o.due_at < _NOW,
            tickets_overdue=func.count(),
        ),
    ]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a report is about: whose figures, added up by whom, and by the day or not."""

    by: Literal["staff", "team"] = "staff"
    per: Literal["day", "period"] = "day"
    staff_id: UUID | None = None
    team_id: UUID | None = None
    skill: str | None = None

    def parameters(self) -> Mapping[str, Any]:
        """What the statement names of it."""
        named = {
            "staff": self.staff_id,
            "team": None if self.team_id is None else [str(self.team_id)],
            "skill": self.skill,
        }
        return {name: value for name, value in named.items() if value is not None}


def _conditions(staff: ColumnElement[Any], named: Collection[str]) -> list[ColumnElement[bool]]:
    """What must be true of whoever is in the report."""
    in_team = select(colleague.c.id).where(
        colleague.c.tenant_id == _TENANT, colleague.c.team_ids.has_any(_TEAM)
    )
    able = select(staff_skill.c.staff_id).where(
        staff_skill.c.tenant_id == _TENANT, staff_skill.c.skill == _SKILL
    )
    known = {"staff": staff == _STAFF, "team": staff.in_(in_team), "skill": staff.in_(able)}
    seen = {"own": staff == _VIEWER, "teams": staff == func.any(COLLEAGUES)}
    return [condition for name, condition in {**known, **seen}.items() if name in named]


def _ended(
    of: str,
    table: FromClause,
    staff: ColumnElement[Any],
    at: ColumnElement[Any],
    word: ColumnElement[Any],
    *conditions: ColumnElement[bool],
    kind: ColumnElement[Any] | None = None,
) -> Select[Any]:
    """How often what ended how, per member of staff and day."""
    return (
        select(
            staff.label("staff_id"),
            cast(func.timezone(_ZONE, at), Date).label("day"),
            literal_column(f"'{of}'", Text).label("of"),
            (cast(null(), Text) if kind is None else kind).label("kind"),
            word.label("outcome"),
            func.count().label("count"),
        )
        .where(table.c.tenant_id == _TENANT, staff.is_not(None), at >= _FROM, at < _UNTIL)
        .where(word.is_not(None), *conditions)
        .group_by(*map(literal_column, "12345"))
    )


def _outcome_parts() -> list[Select[Any]]:
    i, t, a = interaction.c, task.c, appointment.c
    done = t.status == literal_column("'done'")
    met = a.status.in_(("kept", "missed"))
    return [
        _ended("interaction", interaction, i.staff_id, i.started_at, i.outcome, kind=i.kind),
        _ended("task", task, t.assignee_id, t.done_at, t.result_code, done, kind=t.kind),
        _ended("appointment", appointment, a.staff_id, a.starts_at, a.result_code, met),
    ]


@dataclass(frozen=True, slots=True)
class _Grouping:
    """Whose rows of `found` are added up to what."""

    staff: ColumnElement[Any]
    team: ColumnElement[Any]
    day: ColumnElement[Any]
    source: FromClause
    conditions: Sequence[ColumnElement[bool]]

    @classmethod
    def of(cls, found: Subquery, by: str, per: str, named: Collection[str]) -> Self:
        nobody: ColumnElement[Any] = cast(null(), Uuid)
        staff: ColumnElement[Any] = found.c.staff_id
        source: FromClause = found
        team, conditions = nobody, _conditions(staff, named)
        if by == "team":
            member = colleague.alias("member")
            teams = func.jsonb_array_elements_text(member.c.team_ids).table_valued("id")
            of_member = teams.render_derived(name="team").lateral()
            source = found.join(member, member.c.id == found.c.staff_id).join(of_member, true())
            staff, team = nobody, cast(of_member.c.id, Uuid)
            conditions.append(member.c.tenant_id == _TENANT)
            if "team" in named:
                conditions.append(of_member.c.id == func.any(_TEAM))
        day = found.c.day if per == "day" else cast(null(), Date)
        return cls(staff, team, day, source, conditions)

    def select(self, *columns: ColumnElement[Any]) -> Select[Any]:
        """These columns, after who it is and when."""
        who = (self.staff.label("staff_id"), self.team.label("team_id"), self.day.label("day"))
        return select(*who, *columns).select_from(self.source).where(*self.conditions)


@lru_cache
def _report(by: str, per: str, named: frozenset[str]) -> Select[Any]:
    """One statement for each form of a report, so that each is prepared once."""
    found = union_all(*_parts()).subquery("found")
    sums = [func.sum(found.c[name]) for name in SUMS]
    columns = [cast(total, BigInteger).label(name) for name, total in zip(SUMS, sums, strict=True)]
    return (
        _Grouping.of(found, by, per, named)
        .select(*columns)
        .group_by(*map(literal_column, "123"))
        .having(func.greatest(*sums) > 0)
        .order_by(literal_column("3"), literal_column("1"), literal_column("2"))
    )


@lru_cache
def _outcomes(by: str, per: str, named: frozenset[str]) -> Select[Any]:
    """The same of how things ended, the most frequent first."""
    found = union_all(*_outcome_parts()).subquery("found")
    number = cast(func.sum(found.c.count), BigInteger).label("number")
    return (
        _Grouping.of(found, by, per, named)
        .select(found.c.of, found.c.kind, found.c.outcome, number)
        .group_by(*map(literal_column, "123456"))
        .order_by(literal_column("7").desc(), *map(literal_column, "456"))
    )


@lru_cache
def _members(named: frozenset[str]) -> Select[Any]:
    """Who works in some teams, as far as the report is about them."""
    return select(colleague.c.id, colleague.c.team_ids).where(
        colleague.c.tenant_id == _TENANT,
        colleague.c.active.is_(True),
        colleague.c.team_ids.has_any(_TEAM),
        *_conditions(colleague.c.id, named - {"team"}),
    )


_Form = Callable[[str, str, frozenset[str]], Select[Any]]


class CareStatisticsRepository:
    """Statistics, inside one unit of work, of the staff whom a caller sees."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None) -> None:
        self._uow = uow
        self._sight = sight

    async def figures(
        self, wanted: Wanted, *, since: datetime, until: datetime, timezone: str
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """The figures, in the order of the days."""
        return await self._rows(_report, wanted, since, until, timezone)

    async def outcomes(
        self, wanted: Wanted, *, since: datetime, until: datetime, timezone: str
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """How things ended, of everybody and each day that has figures."""
        return await self._rows(_outcomes, wanted, since, until, timezone)

    async def _rows(
        self, form: _Form, wanted: Wanted, since: datetime, until: datetime, timezone: str
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        named, asked = self._asked(wanted)
        parameters = {
            **asked,
            "from_at": since,
            "until_at": until,
            "now": self._uow.clock.now(),
            "timezone": timezone,
        }
        return await self._uow.rows(form(wanted.by, wanted.per, named), parameters)

    async def members(self, team_ids: Collection[UUID], wanted: Wanted) -> dict[UUID, list[UUID]]:
        """Who works in each of these teams, of the staff whom the report is about."""
        named, asked = self._asked(wanted)
        parameters = {**asked, "team": [str(team_id) for team_id in team_ids]}
        found: defaultdict[UUID, list[UUID]] = defaultdict(list)
        for row in await self._uow.rows(_members(named), parameters) if team_ids else ():
            for team_id in row.team_ids:
                found[UUID(team_id)].append(row.id)
        return found

    def _asked(self, wanted: Wanted) -> tuple[frozenset[str], dict[str, Any]]:
        """Which conditions hold for who is in the report, and the parameters of them."""
        named = dict(wanted.parameters())
        asked = {"tenant": self._uow.tenant_id, **named}
        if self._sight is None:
            return frozenset(named), asked
        seen = "teams" if self._sight.of_teams else "own"
        return frozenset({*named, seen}), {**asked, **self._sight.parameters()}
