"""Why people enter and leave, in words that never change."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from services.segmentation.facts.projection import FactGroup
from shared.contracts.segmentation import BY_MERGE, BY_UNMERGE


class Reason(StrEnum):
    """The cause of an entry or an exit."""

    CUSTOMER_CREATED = "customer_created"
    CUSTOMER_REMOVED = "customer_removed"
    CUSTOMER_MERGED = BY_MERGE
    CUSTOMER_UNMERGED = BY_UNMERGE
    PROFILE_CHANGED = "profile_changed"
    ORDERS_CHANGED = "orders_changed"
    TICKETS_CHANGED = "tickets_changed"
    MESSAGES_CHANGED = "messages_changed"
    TIME_PASSED = "time_passed"
    SEGMENT_CREATED = "segment_created"
    RULE_CHANGED = "rule_changed"
    SEGMENT_RESUMED = "segment_resumed"
    SEGMENT_DELETED = "segment_deleted"
    SHOP_CHANGED = "shop_changed"
    REBUILT = "rebuilt"


_OF_GROUP: Final[Mapping[FactGroup, Reason]] = {
    # Who is one with whom changes all the rest, and is the cause that explains it.
    FactGroup.UNMERGED: Reason.CUSTOMER_UNMERGED,
    FactGroup.MERGED: Reason.CUSTOMER_MERGED,
    FactGroup.REMOVED: Reason.CUSTOMER_REMOVED,
    FactGroup.ORDERS: Reason.ORDERS_CHANGED,
    FactGroup.TICKETS: Reason.TICKETS_CHANGED,
    FactGroup.MESSAGES: Reason.MESSAGES_CHANGED,
    # Who comes into being has a new profile because of that.
    FactGroup.BEING: Reason.CUSTOMER_CREATED,
    FactGroup.PROFILE: Reason.PROFILE_CHANGED,
}


def reason_of_change(changed: frozenset[FactGroup], used: frozenset[FactGroup]) -> Reason:
    """Which of the changes moved a customer, for a rule that looks at `used`.

    When none of them could, the customer was about to move anyway and time did it.
    """
    relevant = changed & used
    return next(
        (reason for group, reason in _OF_GROUP.items() if group in relevant), Reason.TIME_PASSED
    )
