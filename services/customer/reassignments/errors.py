"""What can go wrong with reassignments."""

from shared.errors import Conflict


class FormerStaff(Conflict):
    """Whoever had it before does not work here any more."""

    code = "former_staff"
    title = "Whoever had these customers before is not at work"
