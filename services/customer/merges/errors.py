"""What can go wrong with merges."""

from collections.abc import Iterable
from uuid import UUID

from shared.errors import Conflict, FieldError, Invalid, NotFound


class MergeNotFound(NotFound):
    """No such merge in this tenant, or one of people whom the caller does not see."""

    code = "merge_not_found"
    title = "There is no such merge"


class SameCustomer(Conflict):
    """What is to be merged is one person already."""

    code = "same_customer"
    title = "These records are one customer already"

    def __init__(self, customer_ids: Iterable[UUID]) -> None:
        super().__init__(extensions={"customer_ids": sorted(map(str, customer_ids))})


class NeverMerged(Conflict):
    """A person has said that these are two people."""

    code = "never_merged"
    title = "These customers were told apart and are never merged"

    def __init__(self, pairs: Iterable[Iterable[UUID]]) -> None:
        told = sorted(sorted(map(str, pair)) for pair in pairs)
        super().__init__(extensions={"pairs": told})


class MergeUndone(Conflict):
    """A merge is undone once."""

    code = "merge_undone"
    title = "This merge was undone already"


class PairMerged(Conflict):
    """The question whether two are one person was answered by a merge."""

    code = "pair_merged"
    title = "These customers were merged; undo the merge first"

    def __init__(self, merge_id: UUID | None) -> None:
        super().__init__(extensions={"merge_id": str(merge_id) if merge_id else None})


class NotInMerge(Invalid):
    """Who was not merged by a merge cannot be taken out of it."""

    code = "not_in_merge"
    title = "This record is none of those that the merge has merged"

    def __init__(self, places: Iterable[int]) -> None:
        super().__init__(
            errors=[
                FieldError(f"/body/customer_ids/{place}", self.code, self.title) for place in places
            ]
        )


class UnknownField(Invalid):
    """No field that can be chosen."""

    code = "unknown_field"
    title = "There is no such field to choose"

    def __init__(self, field: str) -> None:
        super().__init__(errors=[FieldError(f"/body/fields/{field}", self.code, self.title)])


class NotMerged(Invalid):
    """A field cannot come from a record that is not part of the merge."""

    code = "not_merged"
    title = "This record is none of those that are merged"

    def __init__(self, field: str) -> None:
        super().__init__(errors=[FieldError(f"/body/fields/{field}", self.code, self.title)])
