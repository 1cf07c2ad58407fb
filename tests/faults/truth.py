"""What the outside world asked for, and what it was told: the side of the books that we keep."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from cli.demo.shop import Shop

Kind = Literal["customer", "patch", "order", "delivery", "ticket", "reply", "inbound", "resolution"]


@dataclass(slots=True)
class Asked:
    """One write that a client means to happen exactly once, however often it has to ask."""

    kind: Kind
    shop: Shop
    mark: str
    """Stands in what it creates, and in nothing else."""
    path: str
    body: bytes
    headers: dict[str, str]
    key: str | None = None
    """Its Idempotency-Key; a platform's delivery is its own key."""
    first_sent: datetime | None = None
    tries: int = 0
    accepted: dict[str, Any] | None = None
    """The answer, once there is one that says yes."""
    replayed: bool = False
    abandoned: bool = False
    """The client gave up without knowing; then it may have happened or not."""


@dataclass(slots=True)
class PlatformOrder:
    """An order as its platform knows it."""

    shop: Shop
    connection_id: str
    external_id: str
    email: str
    total: int
    """As the last accepted delivery told it, in whole đồng."""


@dataclass(slots=True)
class Truth:
    """Everything that was asked for, and how the house behaved meanwhile."""

    asked: list[Asked] = field(default_factory=list)
    orders: dict[tuple[str, str], PlatformOrder] = field(default_factory=dict)
    attributes: dict[str, int] = field(default_factory=dict)
    """By customer id: the last number that was written on the customer."""
    statuses: Counter[str] = field(default_factory=Counter)
    diary: list[str] = field(default_factory=list)
    """Troubles and slow answers, each with its moment, for whoever wants to know why."""
    surprises: list[str] = field(default_factory=list)
    """Answers that no fault explains."""

    def note(self, what: str) -> None:
        """Write into the diary."""
        self.diary.append(f"{datetime.now(UTC):%H:%M:%S.%f}"[:-4] + f" {what}")

    def accepted(self, *kinds: Kind) -> list[Asked]:
        """What was promised to have happened."""
        return [ask for ask in self.asked if ask.accepted is not None and ask.kind in kinds]

    def unsure(self, *kinds: Kind) -> list[Asked]:
        """What may have happened."""
        return [ask for ask in self.asked if ask.abandoned and ask.kind in kinds]

    def unanswered(self) -> list[Asked]:
        """What nobody got to hear about although the client insisted."""
        return [ask for ask in self.asked if ask.accepted is None and not ask.abandoned]
