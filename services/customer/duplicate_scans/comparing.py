"""Comparing the customers of blocks with each other. Pure, and heavy: it is run in a thread."""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
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
from services.customer.duplicate_scans.repository import Block
from services.customer.duplicate_scans.scoring import MOST_OF_OTHERS, are_others, likeness
from services.customer.duplicates.repository import Proposal

LARGEST_BLOCK: Final = 40
"""More with one birthday or street are divided by what they are called by."""


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


def compare_blocks(
    blocks: Sequence[Block], noted: Mapping[UUID, Noted], *, min_score: int, changed_only: bool
) -> Compared:
    """Compare everybody with everybody in each block; with `changed_only`, who was changed."""
    compared = Compared()
    seen: set[tuple[UUID, UUID]] = set()
    for block in blocks:
        ids = [customer_id for customer_id in block.ids if customer_id in noted]
        if changed_only and not any(noted[customer_id].is_changed for customer_id in ids):
            continue
        for group in _groups(BLOCK_KINDS[block.kind], ids, noted, compared):
            for pair in combinations(sorted(group), 2):
                one, other = noted[pair[0]], noted[pair[1]]
                if pair in seen or (changed_only and not (one.is_changed or other.is_changed)):
                    continue
                seen.add(pair)
                if min_score > MOST_OF_OTHERS and are_others(one.person, other.person):
                    continue
                alike = likeness(one.person, other.person)
                if alike.score >= min_score:
                    compared.pairs[pair] = Proposal(*pair, alike.score, alike.reasons)
    compared.comparisons = len(seen)
    return compared


def _groups(
    kind: str, ids: Sequence[UUID], noted: Mapping[UUID, Noted], compared: Compared
) -> Sequence[Sequence[UUID]]:
    """A block itself, or what it is divided into when it is too large."""
    if len(ids) <= (MAX_CANDIDATES if kind in IDENTIFIER_KINDS else LARGEST_BLOCK):
        return [ids]
    if kind in IDENTIFIER_KINDS:
        compared.skip(kind, len(ids))
        return []
    by_name: defaultdict[str, list[UUID]] = defaultdict(list)
    for customer_id in ids:
        by_name[narrowed(noted[customer_id].person)].append(customer_id)
    for group in by_name.values():
        if len(group) > LARGEST_BLOCK:
            compared.skip(kind, len(group))
    return [group for group in by_name.values() if len(group) <= LARGEST_BLOCK]
