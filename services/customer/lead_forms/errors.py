"""What can go wrong with lead forms."""

from collections.abc import Sequence

from shared.errors import FieldError, Invalid, NotFound


class LeadFormNotFound(NotFound):
    """No such form in this tenant."""

    code = "lead_form_not_found"
    title = "There is no such form"


class LeadFormNotValid(Invalid):
    """The parts of a form contradict each other."""

    code = "lead_form_not_valid"
    title = "The form does not fit together"

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(errors=faults)
