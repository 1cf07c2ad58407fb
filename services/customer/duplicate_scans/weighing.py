"""Weighing pairs: a pair says what speaks for it now, whoever has found it."""

import asyncio
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.identity_match import Identifier
from services.customer.duplicate_scans.features import Person
from services.customer.duplicate_scans.pairs_repository import ComparedPeople
from services.customer.duplicate_scans.scoring import MOST_OF_OTHERS, likeness
from services.customer.duplicates.repository import DuplicateRepository, Proposal, Weighed
from services.customer.families.family import Families
from shared.db.unit_of_work import UnitOfWork

_Pair = Row[*tuple[Any, ...]]
_Ids = tuple[UUID, UUID]


class PairWeighing:
    """Weighs pairs of people, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._families = Families(uow)
        self._duplicates = DuplicateRepository(uow)
        self._people = ComparedPeople(uow)

    async def propose(self, proposals: Iterable[Proposal]) -> None:
        """Keep pairs with all that speaks for and against them, names too.

        What both have proved speaks for itself: such a pair keeps at least the score it came with.
        Nothing to propose costs nothing, and many cost as many statements as one.
        """
        found = list(proposals)
        if not found:
            return
        weighed = await self._weighed([(each.first, each.second) for each in found])
        strongest = (
            proposal if proposal.is_proved and (now is None or now.score < proposal.score) else now
            for proposal, now in zip(found, weighed, strict=True)
        )
        await self._duplicates.propose(each for each in strongest if each is not None)

    async def weigh_again(self, root_ids: Collection[UUID]) -> None:
        """Lower, raise or withdraw the open pairs of people who were changed.

        What a person has named by hand stays. People without open pairs cost one look.
        """
        pairs = await self._duplicates.open_of(root_ids) if root_ids else []
        if not pairs:
            return
        weighed = await self._weighed([_both(pair) for pair in pairs])
        both = list(zip(pairs, weighed, strict=True))
        await self._duplicates.weigh(
            [
                Weighed(pair.id, now.score, now.reasons)
                for pair, now in both
                if now is not None and (now.score, list(now.reasons)) != (pair.score, pair.reasons)
            ],
            withdrawn=[pair.id for pair, now in both if now is None],
        )

    async def _weighed(self, pairs: Sequence[_Ids]) -> list[Proposal | None]:
        """What each pair comes to, told of who stands for the two; None if nothing speaks for it.

        Who is one person by now is no pair.
        """
        members = await self._families.of_all({id_ for pair in pairs for id_ in pair})
        people = await self._people.read(members)
        met = [(members[first], members[second]) for first, second in pairs]
        common = await self._people.common(_shared(met, people))
        # It is no work for the loop: a batch may have changed hundreds of people.
        return await asyncio.to_thread(_weigh, met, people, common)


def _both(pair: _Pair) -> _Ids:
    return pair.older_id, pair.newer_id


def _shared(pairs: Sequence[_Ids], people: Mapping[UUID, Person]) -> set[Identifier]:
    """The addresses and numbers that both of a pair have."""
    found: set[Identifier] = set()
    for first, second in pairs:
        theirs = {identifier.key for identifier in people[second].identifiers}
        found |= {each for each in people[first].identifiers if each.key in theirs}
    return found


def _weigh(
    pairs: Sequence[_Ids], people: Mapping[UUID, Person], common: Collection[tuple[str, str]]
) -> list[Proposal | None]:
    compared = {id_: _without(person, common) for id_, person in people.items()}
    return [_judged(pair, compared) for pair in pairs]


def _without(person: Person, common: Collection[tuple[str, str]]) -> Person:
    """The person as a scan compares them: what too many have is nobody's own."""
    if not common:
        return person
    own = tuple(i for i in person.identifiers if (i.kind, i.value) not in common)
    return replace(person, identifiers=own)


def _judged(pair: _Ids, people: Mapping[UUID, Person]) -> Proposal | None:
    first, second = pair
    if first == second:
        return None
    one, other = people[first], people[second]
    alike = likeness(one, other)
    # An address or a number in common is a question to a person, however much speaks against it.
    if alike.score <= MOST_OF_OTHERS and not _have_in_common(one, other):
        return None
    return Proposal(first, second, alike.score, alike.reasons)


def _have_in_common(one: Person, other: Person) -> bool:
    return not {i.key for i in one.identifiers}.isdisjoint(i.key for i in other.identifiers)
