"""What can go wrong with tasks."""

from shared.errors import FieldError, Invalid, NotFound


class TaskNotFound(NotFound):
    """No such task in this tenant."""

    code = "task_not_found"
    title = "There is no such task"


class NobodysCalls(Invalid):
    """A program has no calls of its own."""

    code = "assignee_required"
    title = "Say whose calls"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/query/assignee_id", self.code, "Name the staff")])
