"""Comparing the customers of blocks with each other. Pure, and heavy: it is run in a thread.

A block that is too large is divided by a rule of its kind, and what cannot be divided is passed
over. Of one name, which half the country may have, those are compared whose numbers are nearly
alike: with one mistake in it, a number has its first or its last digits in common with the right
one.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import combinations
from typing import Any, Final
from uuid import UUID

from services.customer.customers.identity_match import MAX_CANDIDATES
from services.customer.duplicate_scans.features import (
    BLOCK_KINDS,
    IDENTIFIER_KINDS,
    Person,
    identifier_block,
    narrowed,
)
from services.customer.duplicate_scans.notes_repository import Block
from services.customer.duplicate_scans.scoring import likely
from services.customer.duplicates.repository import Proposal

LARGEST_BLOCK: Final = 40
"""More with one birthday or street are divided by what they are called by."""

# A mistake before, at, or after the fifth digit from the end leaves the one or the other.
_FIRST, _LAST = slice(None, -5), slice(-4, None)


@dataclass(frozen=True, slots=True)
class Noted:
    """What a scan has noted of a customer."""

    person: Person
    is_changed: bool


@dataclass(slots=True)
class Compared:
    """What came of some blocks: pairs, each once, the older customer first."""

    comparisons: int = 0
    pairs: dict[tuple[UUID, UUID], Proposal] = field(default_factory=dict)
    skipped: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By kind: how many blocks were too large to say anything, and of how many customers."""

    def skip(self, kind: str, customers: int) -> None:
        """A block of so many was passed over."""
        blocks, before = self.skipped.get(kind, (0, 0))
        self.skipped[kind] = (blocks + 1, before + customers)


def read_noted(person: Mapping[str, Any], *, is_changed: bool, common: Collection[int]) -> Noted:
    """What was noted, without the numbers and addresses that too many people have."""
    read = Person.of_plain(person)
    if common and read.identifiers:
        kept = tuple(i for i in read.identifiers if identifier_block(i) not in common)
        read = replace(read, identifiers=kept)
    return Noted(read, is_changed)


def says_nothing(block: Block) -> bool:
    """Whether so many have a number or an address in common that it is nobody's own."""
    return BLOCK_KINDS[block.kind] in IDENTIFIER_KINDS and len(block.ids) > MAX_CANDIDATES


def compare_blocks(
    blocks: Sequence[Block], noted: Mapping[UUID, Noted], *, min_score: int, changed_only: bool
) -> Compared:
    """Compare everybody with everybody in each block; with `changed_only`, who was changed."""
    compared = Compared()
    seen: set[tuple[UUID, UUID]] = set()
    for block in blocks:
        if says_nothing(block):
            compared.skip(BLOCK_KINDS[block.kind], len(block.ids))
            continue
        for group in _groups(block, noted, compared):
            for pair in combinations(sorted(group), 2):
                one, other = noted[pair[0]], noted[pair[1]]
                if pair in seen or (changed_only and not (one.is_changed or other.is_changed)):
                    continue
                seen.add(pair)
                alike = likely(one.person, other.person, min_score=min_score)
                if alike is not None:
                    compared.pairs[pair] = Proposal(*pair, alike.score, alike.reasons)
    compared.comparisons = len(seen)
    return compared


def _groups(
    block: Block, noted: Mapping[UUID, Noted], compared: Compared
) -> Sequence[Sequence[UUID]]:
    """A block itself, or what it is divided into when it is too large."""
    kind = BLOCK_KINDS[block.kind]
    ids = [customer_id for customer_id in block.ids if customer_id in noted]
    if len(ids) <= LARGEST_BLOCK:
        return [ids]
    divided: defaultdict[str, list[UUID]] = defaultdict(list)
    for customer_id in ids:
        for part in _parts(kind, noted[customer_id].person):
            divided[part].append(customer_id)
    for group in divided.values():
        if len(group) > LARGEST_BLOCK:
            compared.skip(kind, len(group))
    return [group for group in divided.values() if len(group) <= LARGEST_BLOCK]


def _parts(kind: str, person: Person) -> Iterator[str]:
    """What those of a large block are divided by."""
    if kind != "name":
        yield narrowed(person)
        return
    for number in person.values_of("phone"):
        yield f"{number[_FIRST]}-"
        yield f"-{number[_LAST]}"
