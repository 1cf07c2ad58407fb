"""What can go wrong with duplicate candidates."""

from shared.errors import NotFound


class DuplicateNotFound(NotFound):
    """No such pair in this tenant."""

    code = "duplicate_not_found"
    title = "There is no such duplicate candidate"
