"""What can be wrong with a suppression."""

from shared.errors import NotFound


class SuppressionNotFound(NotFound):
    """No such suppression in this tenant."""

    code = "suppression_not_found"
    title = "There is no such suppression"
