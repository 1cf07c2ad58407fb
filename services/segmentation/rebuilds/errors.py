"""What forbids a rebuild."""

from shared.errors import Conflict


class RebuildUnderWay(Conflict):
    """One rebuild at a time: another one has been started since."""

    code = "rebuild_under_way"
    title = "The projection is being rebuilt already"
