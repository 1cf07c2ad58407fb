"""The state machine of a ticket.

Received (new), handled (open), followed up (pending_customer, on_hold), answered (resolved),
closed.
`resolved` is reached only by recording how the ticket was resolved.
"""

from collections.abc import Mapping
from typing import Final, Literal, get_args

from shared.contracts.support_ticket import TicketStatus

# What a caller may move a ticket to directly.
MovableStatus = Literal["open", "pending_customer", "on_hold", "closed"]
# What a ticket may be once it was answered, and is not resolved yet.
AnsweredStatus = Literal["open", "pending_customer", "on_hold"]

STATUSES: Final[tuple[TicketStatus, ...]] = get_args(TicketStatus)
ENDED: Final[frozenset[TicketStatus]] = frozenset({"resolved", "closed"})
UNFINISHED: Final[tuple[TicketStatus, ...]] = tuple(s for s in STATUSES if s not in ENDED)

_TRANSITIONS: Final[Mapping[TicketStatus, tuple[TicketStatus, ...]]] = {
    "new": ("open", "pending_customer", "on_hold", "resolved"),
    "open": ("pending_customer", "on_hold", "resolved"),
    "pending_customer": ("open", "on_hold", "resolved"),
    "on_hold": ("open", "pending_customer", "resolved"),
    "resolved": ("open", "closed"),
    "closed": ("open",),
}


def allowed_transitions(status: TicketStatus) -> tuple[TicketStatus, ...]:
    """Where a ticket can go from `status`. From resolved or closed, `open` means reopened."""
    return _TRANSITIONS[status]
