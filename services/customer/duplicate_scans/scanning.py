"""A scan for duplicates, step by committed step: note everybody, compare blocks, propose, tidy up.

Everybody is noted once, with the keys of `features.block_keys`; then the keys are walked in their
order, and only those who have one in common are compared. What a step holds is bounded: memory
does not grow with the shop. A worker that is killed loses the step it was at and nothing else.
"""

import asyncio
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from services.customer.customers.identity_match import MAX_CANDIDATES, Identifier
from services.customer.duplicate_scans.comparing import (
    Compared,
    compare_blocks,
    read_noted,
    says_nothing,
)
from services.customer.duplicate_scans.features import (
    BLOCK_KINDS,
    IDENTIFIER_KINDS,
    block_keys,
    person_of,
)
from services.customer.duplicate_scans.notes_repository import (
    FIRST_BLOCK,
    LAST_BLOCK,
    Block,
    ScanNotes,
)
from services.customer.duplicate_scans.repository import ScanRepository
from services.customer.duplicates.repository import DuplicateRepository
from shared.contracts.duplicates import DuplicateScanState, DuplicatesScanned
from shared.db.prepared import Rows
from shared.db.unit_of_work import UnitOfWork

Phase = Literal["clear", "note", "sift", "compare", "propose", "tidy", "done"]

_NEXT: Final[Mapping[Phase, Phase]] = {
    "clear": "note",
    "note": "sift",
    "sift": "compare",
    "compare": "propose",
    "propose": "tidy",
    "tidy": "done",
}
_SECONDS: Final = 0.5
_KEYS: Final = 3000
_SIFTED: Final = 30_000
_PAIRS: Final = 500
_REMAINS: Final = 10_000
_MOST_COMMON: Final = 1000
_NOBODY: Final = UUID(int=0)
_IDENTIFIERS: Final = [BLOCK_KINDS.index(kind) for kind in BLOCK_KINDS if kind in IDENTIFIER_KINDS]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a scan has come; what a job's state holds."""

    phase: Phase = "clear"
    after: str | int | None = None
    common: Sequence[int] = ()
    """The keys of numbers and addresses that too many people have: they say nothing."""
    customers: int = 0
    comparisons: int = 0
    pairs: int = 0
    new_pairs: int = 0
    skipped: Mapping[str, Sequence[int]] = field(default_factory=dict)

    @classmethod
    def of(cls, state: Mapping[str, Any]) -> "Progress":
        """The progress in a job's state."""
        return cls(**state)

    def state(self) -> dict[str, Any]:
        """The progress as a job's state."""
        return asdict(self)

    def next_phase(self) -> "Progress":
        """The same at the beginning of the next phase."""
        return replace(self, phase=_NEXT[self.phase], after=None)

    def results(self) -> dict[str, Any]:
        """What the scan has found so far."""
        return {
            "customers": self.customers,
            "comparisons": self.comparisons,
            "pairs": self.pairs,
            "new_pairs": self.new_pairs,
            "skipped": [
                {"kind": kind, "blocks": blocks, "customers": customers}
                for kind, (blocks, customers) in sorted(self.skipped.items())
            ],
        }

    def done(self) -> int:
        """Units of work that are finished: each customer is noted, and then compared."""
        if self.phase in {"clear", "note", "sift"}:
            return self.customers
        if self.phase != "compare":
            return 2 * self.customers
        after = _after(self)
        return self.customers + int(self.customers * (after - FIRST_BLOCK) / 2**64)

    def total(self) -> int | None:
        """All of them; None while it is not known how many customers there are."""
        return None if self.phase in {"clear", "note"} else 2 * self.customers


def _after(progress: Progress) -> int:
    """The key that a walk through the blocks goes on after."""
    return FIRST_BLOCK if progress.after is None else int(progress.after)


@dataclass(frozen=True, slots=True)
class _Walked:
    """The blocks that were read, and the key to go on after; None at the end."""

    blocks: Sequence[Block]
    after: int | None
    giant: tuple[int, int] | None = None
    """The kind and the size of a block that is too large to be read."""

    def gone_on(self, progress: Progress) -> Progress:
        """The progress after them."""
        return progress.next_phase() if self.after is None else replace(progress, after=self.after)


class DuplicateScan:
    """One scan, inside one unit of work."""

    def __init__(
        self,
        uow: UnitOfWork,
        *,
        scan_id: UUID,
        min_score: int,
        changed_since: datetime | None,
        page_size: int,
    ) -> None:
        self._uow = uow
        self._id = scan_id
        self._min_score = min_score
        self._changed_since = changed_since
        self._page_size = page_size
        self._scans = ScanRepository(uow)
        self._notes = ScanNotes(uow, scan_id)

    async def step(self, progress: Progress) -> Progress:
        """Go on for half a second, or to the end of the phase."""
        loop = asyncio.get_running_loop()
        phase, until = progress.phase, loop.time() + _SECONDS
        while progress.phase == phase and loop.time() < until:
            match phase:
                case "clear":
                    progress = await self._clear(progress)
                case "note":
                    progress = await self._note(progress)
                case "sift":
                    progress = await self._sift(progress)
                case "compare":
                    progress = await self._compare(progress)
                case "propose":
                    progress = await self._propose(progress)
                case "tidy":
                    progress = await self._tidy(progress)
                case "done":
                    return progress
        return progress

    async def _clear(self, progress: Progress) -> Progress:
        """Forget what the same scan had noted before it was cancelled or failed."""
        more = await self._notes.forget(rows=_REMAINS)
        return progress if more else progress.next_phase()

    async def _note(self, progress: Progress) -> Progress:
        """Write down the next people and their keys."""
        after = _NOBODY if progress.after is None else UUID(str(progress.after))
        roots = await self._notes.roots(after, self._page_size)
        if not roots:
            return progress.next_phase()
        members = await self._notes.members([row.id for row in roots])
        identities = await self._notes.identities([*(row.id for row in roots), *members])
        people, keys = await asyncio.to_thread(
            _read_people, roots, _by_root(identities, members), self._changed_since
        )
        await self._notes.write_down(people, keys)
        noted = replace(
            progress, after=str(roots[-1].id), customers=progress.customers + len(roots)
        )
        return noted if len(roots) == self._page_size else noted.next_phase()

    async def _sift(self, progress: Progress) -> Progress:
        """Find the numbers and addresses that more people have than may be one person."""
        after = _after(progress)
        bound = await self._notes.bound(after=after, rows=_SIFTED)
        common = await self._notes.common(
            after=after,
            until=LAST_BLOCK if bound is None else bound,
            kinds=_IDENTIFIERS,
            more_than=MAX_CANDIDATES,
        )
        kept = [*progress.common, *common][:_MOST_COMMON]
        sifted = replace(progress, common=kept, after=bound)
        return sifted.next_phase() if bound is None else sifted

    async def _compare(self, progress: Progress) -> Progress:
        """Compare the customers of the next blocks."""
        walked = await self._next_blocks(progress)
        compared = await self._compared(walked.blocks, common=frozenset(progress.common))
        if walked.giant is not None:
            kind, customers = walked.giant
            compared.skip(BLOCK_KINDS[kind], customers)
        kept = await self._notes.keep_pairs(list(compared.pairs.values()))
        gone_on = replace(
            progress,
            comparisons=progress.comparisons + compared.comparisons,
            pairs=progress.pairs + kept,
            skipped=_added(progress.skipped, compared),
        )
        return walked.gone_on(gone_on)

    async def _compared(self, blocks: Sequence[Block], *, common: Collection[int]) -> Compared:
        if not blocks:
            return Compared()
        read = {
            customer_id for block in blocks if not says_nothing(block) for customer_id in block.ids
        }
        people = await self._notes.people(sorted(read))
        return await asyncio.to_thread(
            _compare,
            blocks,
            people,
            common=common,
            min_score=self._min_score,
            changed_only=self._changed_since is not None,
        )

    async def _next_blocks(self, progress: Progress) -> "_Walked":
        """The next whole blocks. One of more rows than are read at once is told by its size."""
        after = _after(progress)
        bound = await self._notes.bound(after=after, rows=_KEYS)
        if bound is None:
            blocks = await self._notes.blocks(after=after, before=LAST_BLOCK)
            return _Walked(blocks, None)
        blocks = await self._notes.blocks(after=after, before=bound)
        if not blocks and await self._notes.bound(after=after, rows=0) == bound:
            # Nothing lies between: the block at the bound fills all that was read.
            kind, customers = await self._notes.size_of(bound)
            return _Walked([], bound, giant=(kind, customers))
        return _Walked(blocks, bound - 1)

    async def _propose(self, progress: Progress) -> Progress:
        """Make candidates of the next pairs, but of those who were merged meanwhile."""
        after = str(progress.after).split() if progress.after else (str(_NOBODY),) * 2
        found = await self._notes.pairs(after=(UUID(after[0]), UUID(after[1])), at_most=_PAIRS)
        ids = {
            customer_id
            for pair in found
            for customer_id in (pair.proposal.first, pair.proposal.second)
        }
        alone = await self._notes.still_alone(sorted(ids))
        kept = [p for p in found if {p.proposal.first, p.proposal.second} <= alone]
        await DuplicateRepository(self._uow).propose(pair.proposal for pair in kept)
        proposed = replace(
            progress,
            pairs=progress.pairs - (len(found) - len(kept)),
            new_pairs=progress.new_pairs + sum(not pair.is_known for pair in kept),
        )
        if len(found) < _PAIRS:
            return proposed.next_phase()
        last = found[-1].proposal
        return replace(proposed, after=f"{last.first} {last.second}")

    async def _tidy(self, progress: Progress) -> Progress:
        """Forget what was noted; at the end tell what was found."""
        if await self._notes.forget(rows=_REMAINS):
            return progress
        results, now = progress.results(), self._uow.clock.now()
        await self._scans.save(
            self._id, status="succeeded", has_remains=False, finished_at=now, **results
        )
        scan = await self._scans.get(self._id)
        state = DuplicateScanState.model_validate({**scan._mapping, "scan_id": scan.id})
        self._uow.append(DuplicatesScanned(scan=state), key=self._id)
        return progress.next_phase()


def _read_people(
    roots: Rows, identities: Mapping[UUID, Sequence[Identifier]], changed_since: datetime | None
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    people, keys = [], []
    for row in roots:
        person = person_of(row._asdict(), identities.get(row.id, ()))
        noted = {
            "customer_id": row.id,
            "is_changed": changed_since is None or row.updated_at >= changed_since,
        }
        people.append({**noted, "person": person.plain()})
        found = {block: BLOCK_KINDS.index(kind) for kind, block in block_keys(person)}
        keys += [{**noted, "block": block, "kind": kind} for block, kind in found.items()]
    return people, keys


def _by_root(identities: Rows, members: Mapping[UUID, UUID]) -> Mapping[UUID, list[Identifier]]:
    """What each person is recognised by, through any of their records; verified if one says so."""
    found: defaultdict[UUID, dict[tuple[str, ...], Identifier]] = defaultdict(dict)
    for row in identities:
        identifier = Identifier(row.kind, row.value, "", row.is_verified)
        own = found[members.get(row.customer_id, row.customer_id)]
        if identifier.key not in own or identifier.verified:
            own[identifier.key] = identifier
    return {root_id: list(own.values()) for root_id, own in found.items()}


def _compare(
    blocks: Sequence[Block],
    people: Rows,
    *,
    common: Collection[int],
    min_score: int,
    changed_only: bool,
) -> Compared:
    noted = {
        customer_id: read_noted(person, is_changed=is_changed, common=common)
        for customer_id, person, is_changed in people
    }
    return compare_blocks(blocks, noted, min_score=min_score, changed_only=changed_only)


def _added(before: Mapping[str, Sequence[int]], compared: Compared) -> Mapping[str, Sequence[int]]:
    after = {kind: list(figures) for kind, figures in before.items()}
    for kind, figures in compared.skipped.items():
        known = after.get(kind, [0, 0])
        after[kind] = [known[0] + figures[0], known[1] + figures[1]]
    return after
