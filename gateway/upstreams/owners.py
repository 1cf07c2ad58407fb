"""Which part answers which paths: the first word after `/v1/` or `/pages/` decides."""

from collections.abc import Mapping
from typing import Final

GATEWAY: Final = "gateway"
EVERYBODY: Final = "everybody"
"""Every part may have it; whoever has it answers."""

_RESOURCES: Final[Mapping[str, str]] = {
    GATEWAY: (
        "auth tenants staff roles teams settings api-keys shopper-tokens connections hooks events"
        " webhook-endpoints reports audit-log"
    ),
    "customer": (
        "customers duplicates custom-fields orders reviews interactions tasks appointments"
        " merges assignment-rules leads lead-forms loyalty referrals vouchers imports exports"
        " privacy-requests consent-texts legal-holds touches ad-spend quality retention"
        " outcomes"
    ),
    "segmentation": (
        "segments segment-memberships segment-templates segmentation-rebuilds rfm lifecycle funnels"
        " cohorts customer-value"
    ),
    "support_ticket": (
        "tickets conversations queues sla-policies business-calendars ticket-rules macros articles"
        " calls surveys survey-responses promises ticket-reports"
    ),
    "messaging": (
        "templates messages campaigns journeys chat-scripts occasions policies suppressions"
        " preferences experiments inbound-messages automations"
    ),
    EVERYBODY: "jobs",
}
_PAGES: Final[Mapping[str, str]] = {
    GATEWAY: "passwords",
    "customer": "forms calendars",
    "support_ticket": "surveys",
    "messaging": "unsubscribe preferences",
}

OWNER_OF_RESOURCE: Final[Mapping[str, str]] = {
    word: part for part, words in _RESOURCES.items() for word in words.split()
}
OWNER_OF_PAGE: Final[Mapping[str, str]] = {
    word: part for part, words in _PAGES.items() for word in words.split()
}


def owner_of(path: str) -> str | None:
    """The part that answers a path below `/v1/` or `/pages/`; None when nobody does.

    `/v1/customers:batch` is a path of `customers`.
    """
    _, area, word = [*path.split("/", 3), "", ""][:3]
    if area == "v1":
        return OWNER_OF_RESOURCE.get(word.partition(":")[0])
    if area == "pages":
        return OWNER_OF_PAGE.get(word)
    return None
