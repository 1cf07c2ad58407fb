"""What can go wrong with imports."""

from collections.abc import Sequence
from typing import Literal

from shared.errors import Conflict, FieldError, Invalid, NotFound, TooLarge


class ImportNotFound(NotFound):
    """No such import in this tenant."""

    code = "import_not_found"
    title = "There is no such import"


class ImportTransitionNotAllowed(Conflict):
    """The import is in a state that does not allow it."""

    code = "import_transition_not_allowed"
    title = "That cannot be asked of the import now"

    def __init__(self, status: str, allowed: Sequence[str]) -> None:
        super().__init__(
            f"The import is {status}",
            extensions={"current_status": status, "allowed_transitions": list(allowed)},
        )


class WrongOffset(Conflict):
    """A part of a file has to begin where the part before it ended."""

    code = "wrong_offset"
    title = "The file has not come as far as this part begins"

    def __init__(self, received: int) -> None:
        super().__init__(f"{received} bytes have come", extensions={"received_bytes": received})


class FileTooLarge(TooLarge):
    """The whole file is over the limit."""

    code = "import_file_too_large"
    title = "The file is too large"


class ImportSpaceUsedUp(Conflict):
    """Files of the shop wait to be taken in, as many or as large as may be."""

    code = "import_space_used_up"
    title = "Too much waits to be taken in"

    def __init__(self, limit: Literal["files", "bytes"], at_most: int) -> None:
        super().__init__(
            f"{at_most} {limit} at most may wait; run imports or discard their files",
            extensions={"limit": limit, "at_most": at_most},
        )


class EmptyFile(Invalid):
    """Nothing was sent."""

    code = "import_file_empty"
    title = "The file is empty"


class MappingNotValid(Invalid):
    """A mapping that says nothing sensible; the faults say where."""

    code = "import_mapping_not_valid"
    title = "The mapping does not fit the file"

    def __init__(self, faults: Sequence[FieldError]) -> None:
        super().__init__(errors=faults)


class FileNotReadable(Exception):
    """The file is no table that we can read; `code` says why, `row` where."""

    def __init__(self, code: str, *, row: int | None = None) -> None:
        super().__init__(code)
        self.code = code
        self.row = row
