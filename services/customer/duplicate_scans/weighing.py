"""Weighing open pairs again: a pair says what speaks for it now, whoever has found it."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.customers.identity_match import Identifier, KnownIdentity, match_identity
from services.customer.duplicate_scans.features import Person
from services.customer.duplicate_scans.pairs_repository import ComparedPeople
from services.customer.duplicate_scans.scoring import MOST_OF_OTHERS, likeness
from services.customer.duplicates.repository import DuplicateRepository, Proposal, Weighed
from services.customer.families.family import Families
from shared.db.unit_of_work import UnitOfWork

_Pair = Row[*tuple[Any, ...]]


class PairWeighing:
    """Weighs the open pairs of people, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._families = Families(uow)
        self._duplicates = DuplicateRepository(uow)
        self._people = ComparedPeople(uow)

    async def weigh_again(self, root_ids: Collection[UUID]) -> None:
        """Lower, raise or withdraw the open pairs of people who were changed.

        What a person has named by hand stays. People without open pairs cost one look.
        """
        pairs = await self._duplicates.open_of(root_ids) if root_ids else []
        if not pairs:
            return
        members = await self._families.of_all({id_ for p in pairs for id_ in _both(p)})
        people = await self._people.read(members)
        common = await self._people.common(_shared(pairs, members, people))
        # It is no work for the loop: a batch may have changed hundreds of people.
        weighed = await asyncio.to_thread(_weigh, pairs, members, people, common)
        await self._duplicates.weigh(
            [
                Weighed(pair.id, now.score, now.reasons)
                for pair, now in weighed
                if now is not None and (now.score, list(now.reasons)) != (pair.score, pair.reasons)
            ],
            withdrawn=[pair.id for pair, now in weighed if now is None],
        )


def _both(pair: _Pair) -> tuple[UUID, UUID]:
    return pair.older_id, pair.newer_id


def _shared(
    pairs: Sequence[_Pair], members: Mapping[UUID, UUID], people: Mapping[UUID, Person]
) -> set[Identifier]:
    """The addresses and numbers that both of a pair have."""
    found: set[Identifier] = set()
    for pair in pairs:
        one, other = (people[members[each]] for each in _both(pair))
        theirs = {identifier.key for identifier in other.identifiers}
        found |= {identifier for identifier in one.identifiers if identifier.key in theirs}
    return found


def _weigh(
    pairs: Sequence[_Pair],
    members: Mapping[UUID, UUID],
    people: Mapping[UUID, Person],
    common: Collection[tuple[str, str]],
) -> list[tuple[_Pair, Proposal | None]]:
    compared = {id_: _without(person, common) for id_, person in people.items()}
    weighed = []
    for pair in pairs:
        first, second = (members[each] for each in _both(pair))
        by_identity = _by_identity(second, people[first], people[second])
        alike = likeness(compared[first], compared[second])
        by_likeness = Proposal(first, second, alike.score, alike.reasons)
        weighed.append((pair, _decided(by_identity, by_likeness)))
    return weighed


def _without(person: Person, common: Collection[tuple[str, str]]) -> Person:
    """The person as a scan compares them: what too many have is nobody's own."""
    if not common:
        return person
    own = tuple(i for i in person.identifiers if (i.kind, i.value) not in common)
    return replace(person, identifiers=own)


def _decided(by_identity: Proposal | None, by_likeness: Proposal) -> Proposal | None:
    """What the stronger of the two says; None when nothing speaks for a pair."""
    if by_likeness.score > (MOST_OF_OTHERS if by_identity is None else by_identity.score):
        return by_likeness
    return by_identity


def _by_identity(other_id: UUID, one: Person, other: Person) -> Proposal | None:
    """What is said by addresses and numbers that both have, as when a record arrives."""
    known = [KnownIdentity(other_id, identifier) for identifier in other.identifiers]
    found = match_identity(one.identifiers, known).candidates
    if not found:
        return None
    return Proposal(other_id, other_id, found[0].score, [each.code for each in found[0].reasons])
