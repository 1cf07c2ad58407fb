"""Who speaks to the ticket desk."""

from dataclasses import dataclass
from uuid import UUID

from services.support_ticket.conversations.record import Author
from shared.errors import Forbidden
from shared.security.principal import Principal, PrincipalKind


@dataclass(frozen=True, slots=True)
class Caller:
    """A member of staff, a program with an API key, or a shopper.

    `owner` is the customer that a shopper is, and None for everybody else: whatever is looked up
    for a caller is narrowed to it.
    """

    kind: PrincipalKind
    id: str
    owner: UUID | None

    @classmethod
    def of(cls, principal: Principal) -> "Caller":
        """The caller behind a principal. Raises Forbidden for a shopper who is nobody."""
        if principal.kind is not PrincipalKind.SHOPPER:
            return cls(principal.kind, principal.actor_id, None)
        if principal.customer_id is None:
            raise Forbidden("This shopper token names no customer")
        return cls(principal.kind, principal.actor_id, principal.customer_id)

    @property
    def staff_id(self) -> UUID | None:
        """The member of staff, if it is one."""
        if self.kind is not PrincipalKind.STAFF:
            return None
        try:
            return UUID(self.id)
        except ValueError:
            return None

    def as_author(self, name: str | None) -> Author:
        """The caller as the author of what they say."""
        if self.owner is not None:
            return Author("customer", str(self.owner), name)
        is_staff = self.kind is PrincipalKind.STAFF
        return Author("agent" if is_staff else "api_key", self.id, name)
