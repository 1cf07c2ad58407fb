"""Decisions about duplicate candidates: one person, or two for ever."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.duplicates.candidate_repository import (
    CandidateFilter,
    CandidateOrder,
    CandidateRepository,
)
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.merges.duplicate_schemas import DuplicateCreate, DuplicateStatus
from services.customer.merges.errors import PairMerged, SameCustomer
from services.customer.merges.schemas import MergeCreate
from services.customer.merges.service import MergeService
from shared.db.paging import PageRequest
from shared.web.resources import check_version

_Row = Row[*tuple[Any, ...]]


class DuplicateService:
    """What clients can do with duplicate candidates, as far as they see both."""

    def __init__(
        self,
        *,
        candidates: CandidateRepository,
        duplicates: DuplicateRepository,
        families: Families,
        people: SeenPeople,
        merging: MergeService,
    ) -> None:
        self._candidates = candidates
        self._duplicates = duplicates
        self._families = families
        self._people = people
        self._merging = merging

    async def page(
        self,
        *,
        status: DuplicateStatus,
        customer_id: UUID | None,
        min_score: int | None,
        reason: str | None,
        sort: CandidateOrder,
        request: PageRequest,
    ) -> tuple[Sequence[_Row], str | None]:
        """A page of pairs (of one person), and the next cursor."""
        members: tuple[UUID, ...] | None = None
        if customer_id is not None:
            members = tuple(await self._families.of_all([customer_id]))
        wanted = CandidateFilter(member_ids=members, min_score=min_score, reason=reason)
        return await self._candidates.page(status=status, wanted=wanted, sort=sort, request=request)

    async def get(self, pair_id: UUID) -> _Row:
        """Raises DuplicateNotFound."""
        return await self._candidates.get(pair_id)

    async def create(self, given: DuplicateCreate) -> _Row:
        """The pair, also when somebody has proposed it before.

        Raises CustomerNotFound, SameCustomer.
        """
        first, second = given.customer_id, given.other_id
        for customer_id in (first, second):
            await self._people.family(customer_id)
        await self._keep_two(first, second)
        [pair_id] = await self._duplicates.put([(first, second)], status=given.status)
        if given.status == "dismissed":
            await self._answer_the_others(first, second)
        return await self._candidates.get(pair_id)

    async def decide(
        self,
        pair_id: UUID,
        status: DuplicateStatus,
        *,
        survivor_id: UUID | None,
        expected_version: int | None,
    ) -> _Row:
        """The pair as decided.

        Raises DuplicateNotFound, PreconditionFailed, PairMerged, and whatever a merge raises.
        """
        found = await self._candidates.get(pair_id)
        # Families before pairs, as merges have them.
        await self._families.lock_all([found.older_id, found.newer_id])
        pair = await self._candidates.get(pair_id, lock=True)
        check_version(pair.version, expected_version)
        if pair.status == status:
            return pair
        if pair.status == "merged":
            raise PairMerged(pair.merge_id)
        if status == "merged":
            return await self._merge(pair, survivor_id)
        if status == "dismissed":
            await self._keep_two(pair.older_id, pair.newer_id)
            await self._answer_the_others(pair.older_id, pair.newer_id)
            return await self._duplicates.decide(pair_id, "dismissed")
        return await self._duplicates.decide(pair_id, "open")

    async def _merge(self, pair: _Row, survivor_id: UUID | None) -> _Row:
        both = [pair.older_id, pair.newer_id]
        stays = pair.older_id if survivor_id is None else survivor_id
        roots = await self._families.roots([*both, stays])
        if roots.get(stays) not in {roots[each] for each in both}:
            raise SameCustomer([stays])
        others = [each for each in both if roots[each] != roots[stays]] or both[1:]
        reason = ", ".join(pair.reasons)
        given = MergeCreate(customer_ids=others, reason=reason or None)
        await self._merging.merge(stays, given, dry_run=False)
        return await self._candidates.get(pair.id)

    async def _keep_two(self, first: UUID, second: UUID) -> None:
        """Raises SameCustomer when they are one already; they stay two until the commit."""
        roots = await self._families.lock_all([first, second])
        if len(set(roots.values())) == 1:
            raise SameCustomer([first, second])

    async def _answer_the_others(self, first: UUID, second: UUID) -> None:
        members = await self._families.of_all([first, second])
        own = [member for member, root in members.items() if root == members[first]]
        others = [member for member, root in members.items() if root == members[second]]
        await self._duplicates.dismiss_between(own, others)
