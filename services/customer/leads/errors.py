"""What can go wrong with leads and what they are made of."""

from collections.abc import Iterable, Sequence

from shared.errors import Conflict, FieldError, Invalid, NotFound


class LeadNotFound(NotFound):
    """No such lead in this tenant."""

    code = "lead_not_found"
    title = "There is no such lead"


class SubmissionNotFound(NotFound):
    """Nothing of the kind was sent by this form."""

    code = "lead_submission_not_found"
    title = "There is no such submission"


class FormClosed(Conflict):
    """The form is not active."""

    code = "lead_form_closed"
    title = "The form takes nothing at the moment"


class SubmissionDecided(Conflict):
    """It was accepted or rejected before."""

    code = "lead_submission_decided"
    title = "This submission is not waiting for a decision"

    def __init__(self, status: str, allowed: Sequence[str]) -> None:
        super().__init__(extensions={"status": status, "allowed_transitions": list(allowed)})


class AlreadyCustomer(Conflict):
    """Who has bought is no lead any more."""

    code = "already_customer"
    title = "They are a customer already"


class AlreadyLead(Conflict):
    """A customer is one lead."""

    code = "already_lead"
    title = "They are a lead already"


class SubmissionNotValid(Invalid):
    """What was entered cannot be taken."""

    code = "lead_submission_not_valid"
    title = "Some fields cannot be taken"

    def __init__(self, faults: Iterable[FieldError]) -> None:
        super().__init__(errors=list(faults))
