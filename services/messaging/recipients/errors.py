"""What can be wrong with a recipient."""

from shared.errors import NotFound


class RecipientNotFound(NotFound):
    """No such customer is known to this service, or not yet."""

    code = "recipient_not_found"
    title = "There is no such recipient"
