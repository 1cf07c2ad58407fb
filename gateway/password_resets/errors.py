"""What can go wrong with links to a new password."""

from shared.errors import NotFound


class ResetNotValid(NotFound):
    """The link was used, is too old, or was never sent: a caller cannot tell which."""

    code = "reset_not_valid"
    title = "This link is not valid any more: ask for a new one"
