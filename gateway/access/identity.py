"""Whom a credential belongs to."""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

from gateway.access.rate_limit import RateLimit
from shared.ids import TenantId
from shared.security.principal import Principal, PrincipalKind, Visibility

SESSION: Final = "careloop.session"
"""Where the door tells the gateway's own endpoints, in a request's scope, which session asks."""


@dataclass(frozen=True, slots=True)
class Identity:
    """A caller in one tenant, before it is told which request it makes.

    What was published in a web page (`is_published`) is good in pages of `origins` only. With a
    `rate_limit` of its own, that one counts instead of the installation's. `session_id` is for
    the gateway itself; the services are not told.
    """

    tenant_id: TenantId
    kind: PrincipalKind
    actor_id: str
    scopes: frozenset[str]
    customer_id: UUID | None = None
    visibility: Visibility = Visibility.ALL
    team_ids: frozenset[UUID] = frozenset()
    is_published: bool = False
    origins: frozenset[str] = frozenset()
    rate_limit: RateLimit | None = None
    session_id: UUID | None = None

    def principal(self, request_id: str, client_ip: str = "") -> Principal:
        """What the services are told of this caller."""
        return Principal(
            self.tenant_id,
            self.kind,
            self.actor_id,
            self.scopes,
            request_id,
            self.customer_id,
            self.visibility,
            self.team_ids,
            client_ip,
        )
