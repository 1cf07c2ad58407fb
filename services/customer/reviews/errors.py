"""What can go wrong with reviews."""

from shared.errors import Conflict, NotFound


class ReviewNotFound(NotFound):
    """No such review in this tenant, or of a customer whom the caller does not see."""

    code = "review_not_found"
    title = "There is no such review"


class OrderNotRated(NotFound):
    """Nobody has rated this order."""

    code = "order_not_rated"
    title = "The order has not been rated"


class ReviewTransitionRefused(Conflict):
    """What is asked for cannot become of a review in this state."""

    code = "review_transition_refused"
    title = "The review cannot become that from what it is"

    def __init__(self, status: str, allowed: list[str]) -> None:
        super().__init__(extensions={"status": status, "allowed_transitions": allowed})


class OwnReview(Conflict):
    """Nobody votes for what they have written themselves."""

    code = "own_review"
    title = "It is their own review"
