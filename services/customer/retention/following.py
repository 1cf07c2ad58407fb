"""Following one rule for a page: of people, or of entries that have their own age."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from services.customer.following import pair_weighing
from services.customer.privacy.erasing import Erasing
from services.customer.retention.candidates import COLUMNS, Candidate
from services.customer.retention.emptying import Emptying
from services.customer.retention.judging import (
    Judgement,
    Person,
    RuleTerms,
    is_meant,
    judge,
    protection_of,
)
from services.customer.retention.listing import Line
from services.customer.retention.people import RetentionPeople
from services.customer.retention.repository import RetentionRepository
from shared.db.unit_of_work import UnitOfWork

BY_CLOCK: Final = "by_clock"
CHANGED: Final = "changed"
AGAIN: Final = "again"


@dataclass(slots=True)
class Page:
    """What came of one page."""

    looked_at: int = 0
    people: int = 0
    amounts: Counter[str] = field(default_factory=Counter)
    left_alone: Counter[str] = field(default_factory=Counter)
    lines: list[Line] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)


class Following:
    """One rule inside one unit of work. What it only reports, or says dry, it leaves as it is."""

    def __init__(
        self, uow: UnitOfWork, rule: RuleTerms, *, run_id: UUID, is_dry: bool, erasing: Erasing
    ) -> None:
        self._rule = rule
        self._run_id = run_id
        self._is_dry = is_dry
        self._acts = not is_dry and rule.action != "report"
        self._word = _outcome(rule, is_dry=is_dry)
        self._erasing = erasing
        self._people = RetentionPeople(uow)
        self._emptying = Emptying(uow, rule, weighing=pair_weighing(uow))
        self._retention = RetentionRepository(uow)

    async def see_to_people(self, way: str, found: Sequence[Candidate]) -> Page:
        """Empty what the rule names of those who are due."""
        people = await self._people.look_at([each.id for each in found])
        judged = _judged(people, self._rule, way, found)
        page = Page(looked_at=len(judged))
        due = [root_id for root_id, each in judged.items() if each.reason is None]
        if self._acts and due:
            # Somebody may have ordered, or merged them, since we looked.
            locked = await self._people.lock(due)
            people |= locked
            judged = {root_id: judged[root_id] for root_id in judged.keys() - set(due)}
            for root_id, person in locked.items():
                judgement = judge(person, self._rule)
                if judgement is not None:
                    judged[root_id] = judgement
        old = [people[root_id] for root_id, each in judged.items() if each.reason != "not_yet"]
        amounts = await self._emptying.count(old)
        concerned = [person for person in old if amounts[person.root.id]]
        for person in concerned:
            judgement, has = judged[person.root.id], amounts[person.root.id]
            page.lines += _lines(person, has, judgement, self._word)
            if judgement.reason is not None:
                page.left_alone[judgement.reason] += 1
                continue
            page.people += 1
            page.amounts.update(has)
            page.ids.append(str(person.root.id))
        if self._acts:
            free = [each for each in concerned if judged[each.root.id].reason is None]
            await self._end(free, amounts)
        if not self._is_dry:
            gone = {person.root.id for person in old} - {person.root.id for person in concerned}
            await self._leave_alone(
                way, found, {id_: each for id_, each in judged.items() if id_ not in gone}
            )
        return page

    async def see_to_entries(self, name: str, found: Sequence[Candidate]) -> Page:
        """Empty entries that are old enough themselves, but for those of people who are left."""
        named = [each.customer_id for each in found if each.customer_id is not None]
        people = await (self._people.lock(named) if self._acts else self._people.look_at(named))
        of = {id_: person for person in people.values() for id_ in person.member_ids}
        page = Page(looked_at=len(found))
        due: list[UUID] = []
        amounts: Counter[UUID | None] = Counter()
        left: dict[UUID | None, Mapping[str, Any]] = {}
        for each in found:
            person = of.get(each.customer_id) if each.customer_id is not None else None
            if not self._means(person):
                continue
            reason = protection_of(person) if person is not None else None
            outcome = f"left_alone:{reason}" if reason is not None else self._word
            whose = (str(person.root.id), person.root.code) if person is not None else ("", "")
            page.lines.append(Line(*whose, name, 1, each.at.isoformat(), outcome))
            if reason is not None:
                page.left_alone[reason] += 1
                left[each.customer_id] = {
                    "rule_id": self._rule.id,
                    "customer_id": each.customer_id,
                    "reason": reason,
                    "look_again_at": self._rule.tomorrow,
                }
                continue
            due.append(each.id)
            amounts[person.root.id if person is not None else None] += 1
        page.amounts[name] += len(due)
        page.ids = [str(root_id) for root_id in amounts if root_id is not None]
        if not self._is_dry:
            await self._retention.keep_exceptions(list(left.values()))
        if self._acts and due:
            await self._emptying.empty_entries(name, due, amounts, run_id=self._run_id)
        return page

    def _means(self, person: Person | None) -> bool:
        """What nobody has is a lead's at most."""
        if person is None:
            return self._rule.applies_to != "customers"
        return is_meant(person, self._rule.applies_to)

    async def _end(self, people: Sequence[Person], amounts: Mapping[UUID, Counter[str]]) -> None:
        if not self._rule.ends_the_person:
            await self._emptying.empty(people, amounts, run_id=self._run_id)
            return
        for person in people:
            await self._erasing.order(None, person.root.id, run_id=self._run_id)

    async def _leave_alone(
        self, way: str, found: Sequence[Candidate], judged: Mapping[UUID, Judgement]
    ) -> None:
        """Keep whom to look at again, and when; the others of this page are seen to."""
        kept = [
            {
                "rule_id": self._rule.id,
                "customer_id": root_id,
                "reason": judgement.reason,
                "look_again_at": judgement.look_again_at,
            }
            for root_id, judgement in judged.items()
            # By other clocks they are found when it is time.
            if judgement.reason is not None
            and (judgement.reason != "not_yet" or self._rule.clock in COLUMNS)
        ]
        if way == AGAIN:
            gone = {each.id for each in found} - {row["customer_id"] for row in kept}
            await self._retention.forget_exceptions(self._rule.id, gone)
        await self._retention.keep_exceptions(kept)


def _judged(
    people: Mapping[UUID, Person], rule: RuleTerms, way: str, found: Sequence[Candidate]
) -> dict[UUID, Judgement]:
    """Of whom a rule speaks, each once, although several of their records were found."""
    of = {id_: person for person in people.values() for id_ in person.member_ids}
    judged: dict[UUID, Judgement] = {}
    for each in found:
        person = of.get(each.id)
        judgement = judge(person, rule) if person is not None else None
        if person is None or judgement is None:
            continue
        # Found by something older of theirs, they are found again by what counts.
        is_other = rule.clock not in COLUMNS and each.at != judgement.began
        if way != BY_CLOCK or not is_other:
            judged[person.root.id] = judgement
    return judged


def _lines(
    person: Person, amounts: Mapping[str, int], judgement: Judgement, word: str
) -> Iterator[Line]:
    outcome = word if judgement.reason is None else f"left_alone:{judgement.reason}"
    began = judgement.began.isoformat()
    for name, amount in amounts.items():
        yield Line(str(person.root.id), person.root.code, name, amount, began, outcome)


def _outcome(rule: RuleTerms, *, is_dry: bool) -> str:
    if rule.action == "report":
        return "reported"
    done = "anonymised" if rule.ends_the_person else "emptied"
    return f"would_be_{done}" if is_dry else done
