"""Giving new customers to staff, in the unit of work that brings them."""

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from services.customer.assignment.choosing import (
    Availability,
    Choice,
    Newcomer,
    Rule,
    choose,
    on_shift,
)
from services.customer.assignment.repository import AssignmentRepository
from services.customer.timeline.entries import Entry
from services.customer.timeline.repository import TimelineRepository
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id


class Assigner:
    """Finds owners by the rules of the shop, and keeps why."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._rules = AssignmentRepository(uow)
        self._timeline = TimelineRepository(uow)

    async def assign(
        self, newcomers: Mapping[UUID, Newcomer], *, timezone: str
    ) -> Mapping[UUID, Choice]:
        """Who gets which of these customers, whom nobody owns; some may be left to nobody.

        Others who assign wait until the commit, so that nobody's turn is counted twice. `keep` what
        came of it once the customers are written.
        """
        rules = await self._rules.active_rules()
        if not any(rule.fits(who) for rule in rules for who in newcomers.values()):
            return {}
        rules = await self._rules.active_rules(lock=True)
        available = await self._availability(rules, timezone)
        found = {id_: choose(rules, who, available) for id_, who in newcomers.items()}
        if available.turns:
            await self._rules.save_turns(available.turns)
        return {id_: choice for id_, choice in found.items() if choice is not None}

    async def has_rules(self) -> bool:
        """Whether the shop gives new customers to anybody."""
        return bool(await self._rules.active_rules())

    async def explain(self, newcomer: Newcomer, *, timezone: str) -> Choice | None:
        """Who would get a customer now; nothing is changed by asking."""
        rules = await self._rules.active_rules()
        return choose(rules, newcomer, await self._availability(rules, timezone))

    async def keep(self, choices: Mapping[UUID, Choice]) -> None:
        """Log who was given whom, and tell it in the timelines."""
        given = [
            {
                "customer_id": customer_id,
                "from_owner_id": None,
                "to_owner_id": choice.owner_id,
                "rule_id": choice.rule_id,
                "job_id": None,
                "explanation": dict(choice.explanation),
            }
            for customer_id, choice in choices.items()
        ]
        await self.record(given)

    async def record(self, given: Sequence[Mapping[str, Any]]) -> None:
        """Keep rows of the log, without id and time, and tell of customers in their timelines.

        Rows are about customers unless they name another `subject`.
        """
        if not given:
            return
        now = self._uow.clock.now()
        of_customers = {"subject": "customer", "subject_id": None}
        rows = [{"id": new_id(), "assigned_at": now, **of_customers, **row} for row in given]
        await self._rules.log(rows)
        await self._timeline.add([_entry(row) for row in rows if row["subject"] == "customer"])

    async def _availability(self, rules: Sequence[Rule], timezone: str) -> Availability:
        named = {staff_id for rule in rules for staff_id in rule.staff_ids}
        available = Availability(active=await self._rules.staff_at_work(named))
        if any(rule.on_shift_only for rule in rules):
            shifts = await self._rules.shifts(named)
            available.on_shift = on_shift(shifts, now=self._uow.clock.now(), timezone=timezone)
        if any(rule.skills for rule in rules):
            available.skills = await self._rules.skills(named)
        if any(rule.strategy == "least_load" for rule in rules):
            available.loads = await self._rules.loads(named)
        return available


def _entry(row: Mapping[str, Any]) -> Entry:
    return Entry(
        customer_id=row["customer_id"],
        type="customer.assigned",
        occurred_at=row["assigned_at"],
        data={
            "owner_id": str(row["to_owner_id"]),
            "from_owner_id": str(row["from_owner_id"]) if row["from_owner_id"] else None,
            "rule": row["explanation"].get("rule"),
        },
    )
