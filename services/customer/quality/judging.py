"""Judging customers, and keeping what was found with the sums over it, in one unit of work."""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from services.customer.families.family import Families
from services.customer.quality.repository import QualityRepository
from services.customer.quality.rewriting import (
    address_rewriting,
    email_rewriting,
    phone_rewriting,
)
from services.customer.quality.rules import WEIGHTS, Judgement, Known, RuleName, best_address, judge
from shared.db.unit_of_work import UnitOfWork

_REACHED_THERE: Final = "platform_id"
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judged:
    """A person as known and judged."""

    customer_id: UUID
    source: str
    known: Known
    judgement: Judgement
    rewritings: Sequence[str]


def weights_of(policy: Any) -> Mapping[RuleName, int]:
    """What the rules weigh in a shop: as it decided, or as it comes."""
    return {**WEIGHTS, **(policy.weights if policy is not None else {})}


class Judge:
    """Looks at customers through all their records."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._quality = QualityRepository(uow)
        self._families = Families(uow)

    async def look_at(
        self, customer_ids: Collection[UUID], *, weights: Mapping[RuleName, int]
    ) -> list[Judged]:
        """Those who stand for these records, as they are now."""
        roots = await self._families.of_all(customer_ids)
        identities = _by_root(await self._quality.identities(roots), roots)
        addresses = _by_root(await self._quality.addresses(roots), roots)
        care = _by_root(await self._quality.care(roots), roots)
        people = await self._quality.people(sorted(set(roots.values())))
        now = self._uow.clock.now()
        judged = []
        for row in people:
            own = identities[row.id]
            heard_of = [row.updated_at, *(each["last_interaction_at"] for each in care[row.id])]
            known = Known(
                kind=row.kind,
                name=row.name,
                email=row.email,
                phone=row.phone,
                birth_date=row.birth_date,
                lunar_birthday=row.profile.get("birth_date_lunar"),
                has_platform_id=any(each["kind"] == _REACHED_THERE for each in own),
                is_verified=any(
                    each["standing"] == "verified" and each["kind"] != _REACHED_THERE
                    for each in own
                ),
                has_consents=bool(row.consents),
                address=best_address(addresses[row.id]),
                heard_of_at=max([*heard_of, *([row.last_order_at] if row.last_order_at else [])]),
            )
            judgement = judge(known, weights=weights, now=now)
            rewritings = [*_contacts(own), *map(address_rewriting, addresses[row.id])]
            judged.append(Judged(row.id, row.source, known, judgement, sorted(rewritings)))
        return judged

    async def renew(self, customer_ids: Collection[UUID]) -> int:
        """Judge those who stand for these records anew; how many differ from what was kept.

        One at a time in a shop, so that the sums are always those of the rows.
        """
        weights = weights_of(await self._quality.lock_policy())
        judged = await self.look_at(customer_ids, weights=weights)
        return await self._keep(judged, among=customer_ids)

    async def keep_up(self, until: datetime, at_most: int) -> bool:
        """Judge those who were changed first since the last time; whether more are waiting."""
        policy = await self._quality.policy()
        since = policy.judged_until if policy is not None else None
        ids, reached = await self._quality.changed(since or _BEGINNING, until, at_most)
        if ids:
            await self.renew(ids)
            await self._quality.mark_judged(reached)
        return reached < until

    async def review(self, after_id: UUID, at_most: int) -> tuple[int, UUID | None]:
        """Judge the next people; how many they were, and whom to go on after.

        Who is judged and stands for nobody (any more) is forgotten.
        """
        weights = weights_of(await self._quality.lock_policy())
        ids = await self._quality.walk(after_id, at_most)
        last = ids[-1] if len(ids) == at_most else None
        kept = await self._quality.judged_between(after_id, last or _LAST)
        judged = await self.look_at(ids, weights=weights) if ids else []
        await self._keep(judged, among={*ids, *kept})
        return len(ids), last

    async def _keep(self, judged: Sequence[Judged], *, among: Collection[UUID]) -> int:
        rows = {each.customer_id: _row(each) for each in judged}
        before = {
            row.customer_id: {name: row._mapping[name] for name in _KEPT}
            for row in await self._quality.judged({*among, *rows})
        }
        changed = {
            customer_id: row
            for customer_id, row in rows.items()
            if customer_id not in before or before[customer_id] != {n: row[n] for n in _KEPT}
        }
        gone = before.keys() - rows.keys()
        if not changed and not gone:
            return 0
        sums: Counter[tuple[str, str]] = Counter()
        for customer_id in [*changed, *gone]:
            if customer_id in before:
                sums.subtract(_measures(before[customer_id]))
            if customer_id in changed:
                sums.update(_measures(changed[customer_id]))
        if changed:
            now = self._uow.clock.now()
            await self._quality.keep([{**row, "judged_at": now} for row in changed.values()])
        if gone:
            await self._quality.forget(gone)
        await self._quality.move_sums(
            {"source": source, "measure": measure, "amount": amount}
            for (source, measure), amount in sorted(sums.items())
            if amount
        )
        return len(changed) + len(gone)


_KEPT: Final = ("source", "score", "problems", "rewritings")
_LAST: Final = UUID(int=2**128 - 1)


def _row(judged: Judged) -> dict[str, Any]:
    return {
        "customer_id": judged.customer_id,
        "source": judged.source,
        "score": judged.judgement.score,
        "problems": list(judged.judgement.problems),
        "rewritings": list(judged.rewritings),
    }


def _measures(row: Mapping[str, Any]) -> Counter[tuple[str, str]]:
    """What a row adds to the sums of its source."""
    found = Counter({"customers": 1, "score": row["score"]})
    found.update(f"problem:{problem}" for problem in row["problems"])
    found.update(f"rewriting:{rewriting}" for rewriting in row["rewritings"])
    return Counter({(row["source"], measure): amount for measure, amount in found.items()})


def _contacts(identities: Sequence[Mapping[str, Any]]) -> list[str]:
    words = {"phone": phone_rewriting, "email": email_rewriting}
    return [
        words[each["kind"]](each["original"], each["value"])
        for each in identities
        if each["kind"] in words
    ]


def _by_root(
    rows: Sequence[Any], roots: Mapping[UUID, UUID]
) -> defaultdict[UUID, list[Mapping[str, Any]]]:
    found: defaultdict[UUID, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        found[roots[row.customer_id]].append(row._mapping)
    return found
