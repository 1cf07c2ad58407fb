"""What callers may be allowed to do, and which staff role is allowed what."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

_RESOURCES: Final = (
    *("customers", "orders", "tasks", "duplicates", "segments", "tickets", "queues", "sla"),
    *("surveys", "templates", "messages", "automations", "suppressions", "inbound"),
    *("leads", "lead_forms", "lead_submissions", "touches"),
    *("interactions", "appointments", "assignment_rules", "custom_fields", "outcomes"),
    *("connections", "staff", "api_keys", "jobs", "reports", "webhooks", "settings"),
    *("loyalty", "redemptions", "vouchers", "referrals", "reviews"),
    *("imports", "privacy", "quality", "retention"),
)
PII_READ: Final = "pii:read"
"""To see phone numbers, addresses and the like in full; without it they are masked."""

TICKETS_OWN: Final = "tickets:own"
"""A shopper's own tickets; given to shopper tokens and to nothing else."""

LOYALTY_OWN: Final = "loyalty:own"
"""A shopper's own points; given like the above."""

REVIEWS_OWN: Final = "reviews:own"
"""What a shopper says of products and their own orders; given like the above."""

PRIVACY_OWN: Final = "privacy:own"
"""A shopper's own requests by law; given like the above."""

PUBLIC_PAGES: Final = "public:pages"
"""What somebody who opened a link may do; the link's own token decides the rest."""

TENANTS_WRITE: Final = "tenants:write"
"""The operator's: to create shops."""

GRANTABLE: Final[frozenset[str]] = frozenset(
    {f"{resource}:{verb}" for resource in _RESOURCES for verb in ("read", "write")}
    | {"shopper_tokens:write", PII_READ, "audit:read", "events:read"}
    | {"review_submissions:write", "published_reviews:read"}
)
"""Every scope that an API key or a custom role may be given."""

PUBLISHABLE: Final[frozenset[str]] = frozenset(
    {"inbound:write", "lead_submissions:write"}
    | {"review_submissions:write", "published_reviews:read"}
)
"""What a key that stands in a web page, for everybody to read, may be given: to send things in, and
to read what is published anyway."""


class Role(StrEnum):
    """The built-in roles of staff, the mightiest first."""

    OWNER = "owner"
    ADMIN = "admin"
    MANAGER = "manager"
    AGENT = "agent"
    ANALYST = "analyst"


_READ: Final = frozenset(scope for scope in GRANTABLE if scope.endswith(":read"))
# Who has these can let others in, act as a customer, send data elsewhere, watch the others, or have
# the data of many people end.
_KEEPERS_ONLY: Final = frozenset(
    {"staff:write", "api_keys:read", "api_keys:write", "shopper_tokens:write"}
    | {"connections:read", "connections:write", "webhooks:read", "webhooks:write"}
    | {"settings:write", "audit:read", "events:read", "retention:write"}
)
_AGENT_WRITES: Final = frozenset(
    f"{resource}:write"
    for resource in (
        *("customers", "orders", "tasks", "duplicates", "tickets", "messages", "inbound"),
        *("leads", "lead_submissions", "touches"),
        *("redemptions", "referrals", "reviews", "review_submissions"),
        *("interactions", "appointments"),
    )
)

ROLE_SCOPES: Final[Mapping[Role, frozenset[str]]] = {
    Role.OWNER: GRANTABLE,
    Role.ADMIN: GRANTABLE,
    Role.MANAGER: GRANTABLE - _KEEPERS_ONLY,
    Role.AGENT: (_READ - _KEEPERS_ONLY) | _AGENT_WRITES,
    Role.ANALYST: _READ - _KEEPERS_ONLY - {PII_READ},
}


def resembles(scopes: frozenset[str]) -> Role:
    """The built-in role that stands for a custom one where only built-in ones are known.

    It says whether its members work on tickets; it gives them nothing.
    """
    return Role.AGENT if "tickets:write" in scopes else Role.ANALYST


_RANK: Final = {role: rank for rank, role in enumerate(Role)}


def may_appoint(appointer: Role, role: Role) -> bool:
    """Whether staff of one role may give another: nobody raises others above themselves."""
    return _RANK[role] >= _RANK[appointer]
