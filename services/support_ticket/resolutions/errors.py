"""What can go wrong with resolutions."""

from shared.errors import NotFound


class ResolutionNotFound(NotFound):
    """The ticket's current episode is not resolved yet."""

    code = "resolution_not_found"
    title = "The ticket is not resolved"
