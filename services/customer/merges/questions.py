"""Questions that merges have answered, and that are asked again when people have parted."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from services.customer.duplicates.repository import DuplicateRepository
from services.customer.merges.household import Household

_Merge = Row[*tuple[Any, ...]]


async def ask_again(
    duplicates: DuplicateRepository,
    household: Household,
    merges: Sequence[_Merge],
    *,
    undone: _Merge | None,
) -> set[str]:
    """Have the questions open that no merge answers any more: those of two who are two now.

    Whichever of the merges has answered them: one may have, of people whom a lower one had joined.
    Of the one that is `undone` all are.
    """
    answers = {merge.id: merge.answered_ids for merge in merges if merge.answered_ids}
    if not answers:
        return set()
    pair_ids = [UUID(pair_id) for answered_ids in answers.values() for pair_id in answered_ids]
    roots = household.roots
    asked_again = [
        pair.id
        for pair in await duplicates.answered(pair_ids, merge_ids=list(answers))
        if roots.get(pair.older_id) != roots.get(pair.newer_id)
        or (undone is not None and pair.merge_id == undone.id)
    ]
    await duplicates.reopen(asked_again, merge_ids=list(answers))
    return {str(pair_id) for pair_id in asked_again}
