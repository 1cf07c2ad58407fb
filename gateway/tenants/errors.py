"""What can go wrong with shops."""

from shared.errors import Conflict


class SlugTaken(Conflict):
    """A slug names one shop of the installation."""

    code = "slug_taken"
    title = "Another shop has this slug"
