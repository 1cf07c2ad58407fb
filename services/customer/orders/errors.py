"""What can go wrong with orders."""

from shared.errors import Conflict, NotFound


class OrderNotFound(NotFound):
    """No such order in this tenant."""

    code = "order_not_found"
    title = "There is no such order"


class OrderJustArrived(Conflict):
    """Somebody else kept the same order at the same moment; trying again will find it."""

    code = "order_just_arrived"
    title = "The same order has just been kept by another request"
