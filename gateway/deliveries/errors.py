"""What can go wrong with deliveries."""

from shared.errors import Conflict, NotFound


class DeliveryNotFound(NotFound):
    """No such delivery through this connection."""

    code = "delivery_not_found"
    title = "There is no such delivery"


class DeliveryForgotten(Conflict):
    """What was delivered is not kept any more: its time is over, or it was of somebody erased."""

    code = "delivery_forgotten"
    title = "What was delivered is not kept any more"
