"""What can go wrong with notes."""

from shared.errors import NotFound


class NoteNotFound(NotFound):
    """No such note of this customer."""

    code = "note_not_found"
    title = "There is no such note"
