"""What can go wrong with outcomes that a shop defines."""

from collections.abc import Sequence

from shared.errors import Conflict, FieldError, Invalid, NotFound


class OutcomeNotFound(NotFound):
    """No such outcome in this tenant."""

    code = "outcome_not_found"
    title = "There is no such outcome"


class OutcomeKeyTaken(Conflict):
    """Another outcome has this key."""

    code = "outcome_key_taken"
    title = "Another outcome has this key"


class TooManyOutcomes(Conflict):
    """A shop has so many outcomes and no more."""

    code = "too_many_outcomes"
    title = "There are too many outcomes"


class OutcomeNotDefined(Invalid):
    """The shop has defined which words there are, and this is none of them."""

    code = "outcome_not_defined"
    title = "The shop has no such outcome"

    def __init__(self, pointer: str, allowed: Sequence[str]) -> None:
        fault = FieldError(pointer, self.code, f"One of {', '.join(allowed)}")
        super().__init__(errors=[fault], extensions={"allowed": list(allowed)})
