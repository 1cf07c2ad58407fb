"""What can go wrong with interactions."""

from shared.errors import FieldError, Invalid, NotFound


class InteractionNotFound(NotFound):
    """No such interaction in this tenant."""

    code = "interaction_not_found"
    title = "There is no such interaction"


class NotYetHappened(Invalid):
    """An interaction is something that was, not something that is planned."""

    code = "not_yet_happened"
    title = "An interaction cannot lie in the future"

    def __init__(self) -> None:
        super().__init__(
            errors=[FieldError("/body/started_at", self.code, "Plan an appointment or a task")]
        )
