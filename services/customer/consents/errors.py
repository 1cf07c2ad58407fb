"""What can go wrong with the wordings of consents."""

from shared.errors import Conflict, NotFound


class ConsentTextNotFound(NotFound):
    """No such wording in this tenant."""

    code = "consent_text_not_found"
    title = "There is no such text"


class ConsentTextChanged(Conflict):
    """Two versions were made at the same moment; this one was the later."""

    code = "consent_text_changed"
    title = "Somebody else has just written a version of this text"
