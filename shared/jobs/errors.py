"""What can be wrong with what is asked of a job."""

from collections.abc import Sequence

from shared.errors import Conflict, NotFound
from shared.jobs.schemas import JobStatus


class JobNotFound(NotFound):
    """No such job in this tenant."""

    code = "job_not_found"
    title = "There is no such job"


class JobFileNotFound(NotFound):
    """The job has not written this file, or it has been deleted since."""

    code = "job_file_not_found"
    title = "The job has no such file"


class JobTransitionNotAllowed(Conflict):
    """The job is in a state, or of a kind, that does not allow it."""

    code = "job_transition_not_allowed"
    title = "That cannot be asked of the job now"

    def __init__(self, status: JobStatus, allowed: Sequence[str]) -> None:
        super().__init__(
            f"The job is {status}",
            extensions={"current_status": status, "allowed_transitions": list(allowed)},
        )


class JobNotEnded(Conflict):
    """Its files are whole only when it has ended."""

    code = "job_not_ended"
    title = "The job has not ended yet"

    def __init__(self, status: JobStatus) -> None:
        super().__init__(f"The job is {status}", extensions={"current_status": status})


class GivenUp(Exception):
    """Raised by a step: the job can never succeed; `code` is what clients are told.

    It is for them to mend, and no fault of ours.
    """

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class WorkersLost(GivenUp):
    """Every worker that had the job has fallen silent: a fault of ours that no try mends."""

    def __init__(self) -> None:
        super().__init__("worker_lost")
