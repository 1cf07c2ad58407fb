"""What can go wrong with queues."""

from shared.errors import NotFound


class QueueNotFound(NotFound):
    """No such queue in this tenant."""

    code = "queue_not_found"
    title = "There is no such queue"
