"""What can go wrong with timelines."""

from shared.errors import NotFound


class TimelineNotFound(NotFound):
    """No such customer in this tenant."""

    code = "customer_not_found"
    title = "There is no such customer"
