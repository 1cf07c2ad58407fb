"""What can go wrong with requests of people."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from shared.errors import Conflict, NotFound


class PrivacyRequestNotFound(NotFound):
    """No such request in this tenant."""

    code = "privacy_request_not_found"
    title = "There is no such request"


class LegalHoldNotFound(NotFound):
    """No such hold in this tenant."""

    code = "legal_hold_not_found"
    title = "There is no such legal hold"


class ReceiptNotFound(NotFound):
    """Nothing was erased by this request, or not everywhere yet."""

    code = "receipt_not_found"
    title = "There is no receipt yet"


class PreviewNotFound(NotFound):
    """Nobody asked for a preview of this request."""

    code = "preview_not_found"
    title = "No preview was asked for"


class RequestStepNotAllowed(Conflict):
    """A request cannot go on in this way now."""

    code = "transition_not_allowed"
    title = "The request cannot do that now"

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(extensions={"allowed_transitions": list(allowed)})


class IdentityNotChecked(Conflict):
    """Nobody gives out or erases anything before it is known who asks."""

    code = "identity_not_checked"
    title = "Record first how the person's identity was checked"


class NobodyToServe(Conflict):
    """The request is of somebody of whom nothing is known here."""

    code = "nobody_known"
    title = "Nothing is known here of the person"


class PersonalDataFileThere(Conflict):
    """A file need not be made anew while one can be fetched, or is being made."""

    code = "personal_data_file_there"
    title = "The file is there, or is being made"

    def __init__(self, job_id: UUID, until: datetime | None) -> None:
        super().__init__(
            extensions={
                "job_id": str(job_id),
                "until": until.isoformat() if until is not None else None,
            },
        )


class TooManyFiles(Conflict):
    """Each file asks every service for all that it has of the person."""

    code = "too_many_files"
    title = "The files of the request were made too many times"

    def __init__(self, at_most: int) -> None:
        super().__init__(extensions={"at_most": at_most})


class LegalHoldInForce(Conflict):
    """The law forbids to erase what the law wants kept."""

    code = "legal_hold"
    title = "The customer's data are under a legal hold"

    def __init__(self, hold_id: UUID, until: datetime | None) -> None:
        # Why it is held is for who may read it: problems are not masked, the hold is.
        super().__init__(
            extensions={
                "legal_hold_id": str(hold_id),
                "until": until.isoformat() if until is not None else None,
            },
        )
