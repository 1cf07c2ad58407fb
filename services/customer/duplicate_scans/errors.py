"""What can go wrong with scans for duplicates."""

from uuid import UUID

from shared.errors import Conflict, NotFound


class ScanNotFound(NotFound):
    """No such scan in this tenant."""

    code = "duplicate_scan_not_found"
    title = "There is no such scan for duplicates"


class ScanRunning(Conflict):
    """One scan at a time."""

    code = "duplicate_scan_running"
    title = "A scan for duplicates runs already"

    def __init__(self, scan_id: UUID | None) -> None:
        super().__init__(extensions={"scan_id": scan_id and str(scan_id)})
