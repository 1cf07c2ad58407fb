"""What can go wrong with tickets."""

from shared.contracts.support_ticket import TicketStatus
from shared.errors import Conflict, FieldError, Invalid, NotFound, Unavailable


class TicketNotFound(NotFound):
    """Absent, another tenant's, or another shopper's: the caller cannot tell which."""

    code = "ticket_not_found"
    title = "There is no such ticket"


class RequesterNotFound(NotFound):
    """Somebody whom the caller does not see."""

    code = "customer_not_found"
    title = "There is no such customer"


class RequesterErased(Conflict):
    """The person was erased: there is nobody who asks for anything."""

    code = "customer_erased"
    title = "The customer was erased"


class TransitionNotAllowed(Conflict):
    """The ticket cannot go there from where it is."""

    code = "transition_not_allowed"
    title = "The ticket cannot go there from its current status"

    def __init__(
        self, current: TicketStatus, wanted: TicketStatus, allowed: tuple[TicketStatus, ...]
    ) -> None:
        super().__init__(
            f"From {current} it can go to {', '.join(allowed)}; not to {wanted}",
            extensions={"current_status": current, "allowed_transitions": list(allowed)},
        )


class TicketHasEnded(Conflict):
    """Nothing can be said on it any more."""

    code = "ticket_has_ended"
    title = "The ticket has ended"


class UnknownAssignee(Invalid):
    """Nobody whom tickets can be assigned to."""

    code = "unknown_assignee"
    title = "Tickets cannot be assigned to this member of staff"

    def __init__(self) -> None:
        fault = FieldError(
            "/body/assignee_id", self.code, "Active staff other than analysts take tickets"
        )
        super().__init__(errors=[fault])


class RequesterNotYours(Invalid):
    """A shopper asks for themselves."""

    code = "requester_not_allowed"
    title = "A shopper's ticket is the shopper's own"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/body/requester", self.code, "Leave it out")])


class StatusNotYours(Invalid):
    """A shopper's words move the ticket by themselves."""

    code = "status_not_allowed"
    title = "A shopper does not set the status"

    def __init__(self) -> None:
        super().__init__(errors=[FieldError("/body/status", self.code, "Leave it out")])


class ShopNotReady(Unavailable):
    """The shop was created a moment ago and its defaults are not here yet."""

    code = "shop_not_ready"
    title = "The shop is being set up"

    def __init__(self) -> None:
        super().__init__(headers={"Retry-After": "1"})
