"""What can go wrong with deliveries."""

from shared.errors import NotFound


class DeliveryNotFound(NotFound):
    """No such delivery through this connection."""

    code = "delivery_not_found"
    title = "There is no such delivery"
