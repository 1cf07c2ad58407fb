"""SQL of assignment rules, shifts and of who was given whom."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    Integer,
    Row,
    Uuid,
    bindparam,
    column,
    delete,
    func,
    select,
    table,
    true,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.assignment.choosing import Rule, Shift
from services.customer.assignment.errors import AssignmentRuleNotFound
from services.customer.assignment.models import (
    assignment_log,
    assignment_rule,
    staff_skill,
    working_shift,
)
from services.customer.colleagues.models import colleague
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

IN_ORDER: Final = (
    SortKey(assignment_rule.c.position, "position", int),
    SortKey(assignment_rule.c.id, "id", parse_id),
)
NEWEST_FIRST: Final = (
    SortKey(assignment_log.c.assigned_at, "assigned_at", parse_instant, descending=True),
    SortKey(assignment_log.c.id, "id", parse_id, descending=True),
)
# Who has more than that has enough.
_MOST_COUNTED: Final = 10_000

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_STAFF: Final = bindparam("staff", type_=Uuid)
_ADD: Final = insert(assignment_rule).returning(*assignment_rule.c)
_ALL: Final = select(assignment_rule).where(assignment_rule.c.tenant_id == _TENANT)
_BY_ID: Final = _ALL.where(assignment_rule.c.id == bindparam("id", type_=Uuid))
_LOCK: Final = _BY_ID.with_for_update()
_REMOVE: Final = delete(assignment_rule).where(
    assignment_rule.c.tenant_id == _TENANT, assignment_rule.c.id == bindparam("id", type_=Uuid)
)
_ACTIVE: Final = _ALL.where(assignment_rule.c.active.is_(True)).order_by(
    assignment_rule.c.position, assignment_rule.c.id
)
_LOCK_ACTIVE: Final = _ACTIVE.with_for_update()
_turns = RowsParameter("turn", assignment_rule, ("id", "last_staff_id"))
_SAVE_TURNS: Final = (
    update(assignment_rule)
    .values(last_staff_id=_turns.source.c.last_staff_id)
    .where(assignment_rule.c.tenant_id == _TENANT, assignment_rule.c.id == _turns.source.c.id)
)
_SHIFTS: Final = (
    select(working_shift)
    .where(working_shift.c.tenant_id == _TENANT, working_shift.c.staff_id == func.any(_IDS))
    .order_by(working_shift.c.staff_id, working_shift.c.weekday, working_shift.c.starts_minute)
)
_REMOVE_SHIFTS: Final = delete(working_shift).where(
    working_shift.c.tenant_id == _TENANT, working_shift.c.staff_id == _STAFF
)
_shifts = RowsParameter(
    "shift", working_shift, ("staff_id", "weekday", "starts_minute", "ends_minute")
)
_ADD_SHIFTS: Final = (
    insert(working_shift)
    .from_select(["tenant_id", *_shifts.columns], select(_TENANT, *_shifts.source.c))
    .returning(working_shift.c.weekday)
)
_SKILLS: Final = (
    select(staff_skill.c.staff_id, staff_skill.c.skill)
    .where(staff_skill.c.tenant_id == _TENANT, staff_skill.c.staff_id == func.any(_IDS))
    .order_by(staff_skill.c.staff_id, staff_skill.c.skill)
)
_REMOVE_SKILLS: Final = delete(staff_skill).where(
    staff_skill.c.tenant_id == _TENANT, staff_skill.c.staff_id == _STAFF
)
_skills = RowsParameter("known", staff_skill, ("staff_id", "skill"))
_ADD_SKILLS: Final = (
    insert(staff_skill)
    .from_select(["tenant_id", *_skills.columns], select(_TENANT, *_skills.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "staff_id", "skill"])
)
_STAFF_AT_WORK: Final = select(colleague.c.id).where(
    colleague.c.tenant_id == _TENANT, colleague.c.id == func.any(_IDS), colleague.c.active.is_(True)
)
# The customers' own slice stands on this one, so only what is asked of the table is known here.
_customer = table(
    "customer",
    column("tenant_id", Uuid),
    column("id", Uuid),
    column("owner_id", Uuid),
    column("merged_into", Uuid),
    column("removed_at", Instant),
    schema="customer",
)


def _loads() -> Any:
    staff = func.unnest(_IDS).table_valued(column("id", Uuid)).render_derived(name="staff")
    theirs = (
        select(_customer.c.id)
        .where(
            _customer.c.tenant_id == _TENANT,
            _customer.c.owner_id == staff.c.id,
            _customer.c.merged_into.is_(None),
            _customer.c.removed_at.is_(None),
        )
        .limit(_MOST_COUNTED)
        .lateral("theirs")
    )
    return (
        select(staff.c.id, func.count(theirs.c.id).label("customers"))
        .select_from(staff.outerjoin(theirs, true()))
        .group_by(staff.c.id)
    )


_LOADS: Final = _loads()
_LOG_COLUMNS: Final = tuple(c.name for c in assignment_log.c if c.name != "tenant_id")
_log = RowsParameter("entry", assignment_log, _LOG_COLUMNS)
_ADD_LOG: Final = (
    insert(assignment_log)
    .from_select(["tenant_id", *_LOG_COLUMNS], select(_TENANT, *_log.source.c))
    .returning(assignment_log.c.id)
)

_OF_JOB: Final = (
    select(assignment_log)
    .where(
        assignment_log.c.tenant_id == _TENANT,
        assignment_log.c.job_id == bindparam("job", type_=Uuid),
        assignment_log.c.id > bindparam("after", type_=Uuid),
    )
    .order_by(assignment_log.c.id)
    .limit(bindparam("at_most", type_=Integer))
)


class AssignmentRepository:
    """Rules, shifts and the log, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new rule."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, rule_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises AssignmentRuleNotFound."""
        named = {**self._tenant, "id": rule_id}
        row = await self._uow.one_or_none(_LOCK if lock else _BY_ID, named)
        if row is None:
            raise AssignmentRuleNotFound
        return row

    async def save(self, rule_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The rule with these columns changed and its version grown."""
        statement = (
            update(assignment_rule)
            .where(
                assignment_rule.c.tenant_id == self._uow.tenant_id, assignment_rule.c.id == rule_id
            )
            .values(**changes, version=assignment_rule.c.version + 1)
            .returning(*assignment_rule.c)
        )
        return await self._uow.one(statement)

    async def remove(self, rule_id: UUID) -> None:
        """Forget a rule."""
        await self._uow.execute(_REMOVE, {**self._tenant, "id": rule_id})

    async def page(
        self, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of rules in the order in which they are tried, and the next cursor."""
        rows = await self._uow.rows(page(_ALL, IN_ORDER, request), self._tenant)
        return next_cursor(rows, IN_ORDER, request.limit)

    async def active_rules(self, *, lock: bool = False) -> list[Rule]:
        """The rules that count, in their order; locked, whoever else assigns waits."""
        rows = await self._uow.rows(_LOCK_ACTIVE if lock else _ACTIVE, self._tenant)
        return [
            Rule(
                id=row.id,
                name=row.name,
                strategy=row.strategy,
                staff_ids=[UUID(staff_id) for staff_id in row.staff_ids],
                conditions=row.conditions,
                on_shift_only=row.on_shift_only,
                skills=row.skills,
                last_staff_id=row.last_staff_id,
            )
            for row in rows
        ]

    async def save_turns(self, turns: Mapping[UUID, UUID]) -> None:
        """Remember whose turn it was last, by rule."""
        rows = [{"id": rule_id, "last_staff_id": who} for rule_id, who in turns.items()]
        await self._uow.execute(_SAVE_TURNS, {**self._tenant, **_turns.values(rows)})

    async def staff_at_work(self, staff_ids: Collection[UUID]) -> set[UUID]:
        """Who of them works for the shop."""
        return set(await self._uow.scalars(_STAFF_AT_WORK, self._named(staff_ids)))

    async def loads(self, staff_ids: Collection[UUID]) -> dict[UUID, int]:
        """How many customers each of them has."""
        rows = await self._uow.rows(_LOADS, self._named(staff_ids))
        return {row.id: row.customers for row in rows}

    async def shifts(self, staff_ids: Collection[UUID]) -> dict[UUID, list[Shift]]:
        """When each of them works, in the order of the week."""
        found: defaultdict[UUID, list[Shift]] = defaultdict(list)
        for row in await self._uow.rows(_SHIFTS, self._named(staff_ids)):
            found[row.staff_id].append(Shift(row.weekday, row.starts_minute, row.ends_minute))
        return found

    async def replace_shifts(self, staff_id: UUID, shifts: Sequence[Shift]) -> None:
        """Let somebody work at these times and no others."""
        await self._uow.execute(_REMOVE_SHIFTS, {**self._tenant, "staff": staff_id})
        if shifts:
            rows = [
                {
                    "staff_id": staff_id,
                    "weekday": shift.weekday,
                    "starts_minute": shift.starts_minute,
                    "ends_minute": shift.ends_minute,
                }
                for shift in shifts
            ]
            await self._uow.rows(_ADD_SHIFTS, {**self._tenant, **_shifts.values(rows)})

    async def skills(self, staff_ids: Collection[UUID]) -> dict[UUID, list[str]]:
        """What each of them can do."""
        found: defaultdict[UUID, list[str]] = defaultdict(list)
        for row in await self._uow.rows(_SKILLS, self._named(staff_ids)):
            found[row.staff_id].append(row.skill)
        return found

    async def replace_skills(self, staff_id: UUID, skills: Collection[str]) -> None:
        """Let somebody be able to do this and nothing else."""
        await self._uow.execute(_REMOVE_SKILLS, {**self._tenant, "staff": staff_id})
        if skills:
            rows = [{"staff_id": staff_id, "skill": skill} for skill in skills]
            await self._uow.execute(_ADD_SKILLS, {**self._tenant, **_skills.values(rows)})

    async def moved_by(
        self, job_id: UUID, *, after: UUID | None, at_most: int
    ) -> Sequence[Row[*tuple[Any, ...]]]:
        """What a job has moved, in the order in which it did."""
        named = {"job": job_id, "after": after or UUID(int=0), "at_most": at_most}
        return await self._uow.rows(_OF_JOB, {**self._tenant, **named})

    async def log(self, entries: Sequence[Mapping[str, Any]]) -> None:
        """Keep who was given whom, and why; all columns but the tenant given."""
        if entries:
            await self._uow.rows(_ADD_LOG, {**self._tenant, **_log.values(entries)})

    async def log_of(
        self, member_ids: Sequence[UUID], request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of whose a person was, the newest first, and the next cursor."""
        statement = merged_page(
            assignment_log,
            list(assignment_log.c),
            [Source(lambda member: assignment_log.c.customer_id == member, _MEMBERS)],
            where=[assignment_log.c.tenant_id == _TENANT],
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    def _named(self, ids: Collection[UUID]) -> Mapping[str, Any]:
        return {**self._tenant, "ids": list(ids)}
