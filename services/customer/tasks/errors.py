"""What can go wrong with tasks."""

from shared.errors import NotFound


class TaskNotFound(NotFound):
    """No such task in this tenant."""

    code = "task_not_found"
    title = "There is no such task"
