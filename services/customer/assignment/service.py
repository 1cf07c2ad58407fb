"""Decisions about assignment rules and shifts."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.assignment.assigning import Assigner
from services.customer.assignment.choosing import Facts, Shift
from services.customer.assignment.errors import ShiftEndsBeforeStart, ShiftsOverlap
from services.customer.assignment.repository import AssignmentRepository
from services.customer.assignment.schemas import (
    AssignmentAnswer,
    AssignmentQuestion,
    AssignmentRuleCreate,
    AssignmentRulePatch,
    ShiftRead,
    ShiftsRead,
    ShiftsWrite,
    SkillsRead,
    SkillsWrite,
)
from services.customer.colleagues.errors import UnknownStaff
from services.customer.tenants.shops import Shops
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.web.resources import check_version


class AssignmentService:
    """What clients can do with the rules by which customers find their staff."""

    def __init__(self, *, uow: UnitOfWork, rules: AssignmentRepository, shops: Shops) -> None:
        self._uow = uow
        self._rules = rules
        self._shops = shops

    async def create(self, given: AssignmentRuleCreate) -> Row[*tuple[Any, ...]]:
        """A new rule. Raises UnknownStaff."""
        await self._require_staff(given.staff_ids)
        now = self._uow.clock.now()
        columns = {
            **_columns(given),
            "id": new_id(),
            "last_staff_id": None,
            "created_at": now,
            "updated_at": now,
            "version": 1,
        }
        return await self._rules.add(columns)

    async def get(self, rule_id: UUID) -> Row[*tuple[Any, ...]]:
        """Raises AssignmentRuleNotFound."""
        return await self._rules.get(rule_id)

    async def page(
        self, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of rules in the order in which they are tried, and the next cursor."""
        return await self._rules.page(request)

    async def change(
        self, rule_id: UUID, given: AssignmentRulePatch, *, expected_version: int | None
    ) -> Row[*tuple[Any, ...]]:
        """The rule after the change; who has left since they were named may stay named.

        Raises AssignmentRuleNotFound, PreconditionFailed, UnknownStaff.
        """
        before = await self._rules.get(rule_id, lock=True)
        check_version(before.version, expected_version)
        said = _columns(given)
        changes = {name: new for name, new in said.items() if getattr(before, name) != new}
        if not changes:
            return before
        await self._require_staff(_newly_named(given.staff_ids or [], before.staff_ids))
        return await self._rules.save(rule_id, {**changes, "updated_at": self._uow.clock.now()})

    async def remove(self, rule_id: UUID, *, expected_version: int | None) -> None:
        """Forget a rule; who was given whom by it stays. Raises AssignmentRuleNotFound."""
        before = await self._rules.get(rule_id, lock=True)
        check_version(before.version, expected_version)
        await self._rules.remove(rule_id)

    async def explain(self, asked: AssignmentQuestion) -> AssignmentAnswer:
        """Who would get a customer now; nothing is changed by asking."""
        shop = await self._shops.of(self._uow)
        facts = Facts(asked.source, asked.province, asked.tags, asked.value_tier)
        choice = await Assigner(self._uow).explain(facts, timezone=shop.timezone)
        if choice is None:
            return AssignmentAnswer(owner_id=None, rule_id=None, explanation={})
        return AssignmentAnswer(
            owner_id=choice.owner_id, rule_id=choice.rule_id, explanation=dict(choice.explanation)
        )

    async def shifts_of(self, staff_id: UUID) -> ShiftsRead:
        """When somebody works. Raises UnknownStaff."""
        await self._require_staff([staff_id], pointer="/path/staff_id")
        return _described(staff_id, (await self._rules.shifts([staff_id])).get(staff_id, []))

    async def replace_shifts(self, staff_id: UUID, given: ShiftsWrite) -> ShiftsRead:
        """Let somebody work at these times and no others.

        Raises UnknownStaff, ShiftEndsBeforeStart, ShiftsOverlap.
        """
        await self._require_staff([staff_id], pointer="/path/staff_id")
        wanted = [
            Shift(one.weekday, _minute(one.starts), _minute(one.ends)) for one in given.shifts
        ]
        for index, shift in enumerate(wanted):
            if shift.starts_minute >= shift.ends_minute:
                raise ShiftEndsBeforeStart(index)
        shifts = sorted(wanted, key=lambda shift: (shift.weekday, shift.starts_minute))
        overlap = any(
            one.weekday == other.weekday and other.starts_minute < one.ends_minute
            for one, other in pairwise(shifts)
        )
        if overlap:
            raise ShiftsOverlap
        await self._rules.replace_shifts(staff_id, shifts)
        return _described(staff_id, shifts)

    async def skills_of(self, staff_id: UUID) -> SkillsRead:
        """What somebody can do. Raises UnknownStaff."""
        await self._require_staff([staff_id], pointer="/path/staff_id")
        known = (await self._rules.skills([staff_id])).get(staff_id, [])
        return SkillsRead(staff_id=staff_id, skills=known)

    async def replace_skills(self, staff_id: UUID, given: SkillsWrite) -> SkillsRead:
        """Let somebody be able to do this and nothing else. Raises UnknownStaff."""
        await self._require_staff([staff_id], pointer="/path/staff_id")
        await self._rules.replace_skills(staff_id, list(dict.fromkeys(given.skills)))
        return await self.skills_of(staff_id)

    async def _require_staff(
        self, staff_ids: Sequence[UUID], *, pointer: str = "/body/staff_ids"
    ) -> None:
        if set(staff_ids) - await self._rules.staff_at_work(staff_ids):
            raise UnknownStaff(pointer)


def _columns(given: AssignmentRuleCreate | AssignmentRulePatch) -> dict[str, Any]:
    is_change = isinstance(given, AssignmentRulePatch)
    columns = given.model_dump(include=given.model_fields_set if is_change else None)
    if given.staff_ids is not None and "staff_ids" in columns:
        columns["staff_ids"] = list(dict.fromkeys(map(str, given.staff_ids)))
    return columns


def _newly_named(staff_ids: Sequence[UUID], before: Sequence[str]) -> list[UUID]:
    return [staff_id for staff_id in staff_ids if str(staff_id) not in before]


def _described(staff_id: UUID, shifts: Sequence[Shift]) -> ShiftsRead:
    return ShiftsRead(
        staff_id=staff_id,
        shifts=[
            ShiftRead(
                weekday=shift.weekday,
                starts=_time_of_day(shift.starts_minute),
                ends=_time_of_day(shift.ends_minute),
            )
            for shift in shifts
        ],
    )


def _minute(time_of_day: str) -> int:
    hour, minute = time_of_day.split(":")
    return int(hour) * 60 + int(minute)


def _time_of_day(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"
