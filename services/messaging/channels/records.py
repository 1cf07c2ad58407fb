"""E-mail channels, ready to be spoken to."""

from dataclasses import dataclass, field
from typing import Final, Literal
from uuid import UUID

from services.messaging.policies.records import Channel

Security = Literal["none", "starttls", "tls"]
INSTALLATION_CHANNEL = UUID(int=0)
# The order in which a shop's channels are tried where the customer prefers none.
CHANNEL_ORDER: Final[tuple[Channel, ...]] = ("email",)


@dataclass(frozen=True, slots=True)
class EmailChannel:
    """An SMTP account. Two equal channels may share a connection."""

    connection_id: UUID
    version: int
    host: str
    port: int
    security: Security
    sender_name: str
    sender_address: str
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def sender_domain(self) -> str:
        """The domain that messages come from; it also names their ids."""
        return self.sender_address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Channels:
    """The ways that a shop's e-mail can leave: its own channel and the installation's."""

    own: EmailChannel | None
    installation: EmailChannel | None

    @property
    def connected(self) -> frozenset[Channel]:
        """By what the shop's customers can be written to."""
        return connected_channels(email=self.for_customers is not None)

    @property
    def for_customers(self) -> EmailChannel | None:
        """Customers hear from the shop itself."""
        return self.own or self.installation

    @property
    def for_staff(self) -> EmailChannel | None:
        """Mail to staff opens accounts: whoever may connect a shop's channel must not get it."""
        return self.installation or self.own


def connected_channels(*, email: bool) -> frozenset[Channel]:
    """The channels of which there is an account."""
    return frozenset({"email"} if email else ())
