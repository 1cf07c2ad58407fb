"""One token bucket as one process knows it."""

import math
from typing import Final

from gateway.access.rate_limit import RateLimit

# How far in debt a bucket may be, in times its size: who floods is made to wait, not banned.
DEEPEST_DEBT: Final = 1.0


class Bucket:
    """Tokens that come back with time; what was spent is remembered until others have heard of it.

    Times are seconds of a monotonic clock.
    """

    __slots__ = ("at", "capacity", "heard_at", "limit", "name", "per_second", "spent", "tokens")

    def __init__(self, name: str, limit: RateLimit, now: float) -> None:
        self.name = name
        self.limit = limit
        self.capacity = float(limit.requests)
        self.per_second = limit.per_second
        self.tokens = self.capacity
        self.at = now
        self.spent = 0
        self.heard_at = -math.inf

    def refill(self, now: float) -> float:
        """Add what has come back since the last time; the tokens there are."""
        tokens = self.tokens + (now - self.at) * self.per_second
        self.tokens = tokens = min(tokens, self.capacity)
        self.at = now
        return tokens

    def spend(self) -> None:
        """Take one token. Refill before, and see that there is one."""
        self.tokens -= 1
        self.spent += 1

    def take_spent(self) -> int:
        """What was spent and not told yet; it counts as told."""
        spent, self.spent = self.spent, 0
        return spent

    def hear(self, tokens: float, now: float) -> None:
        """There are `tokens` for everybody together, before what was spent here since."""
        self.tokens = min(tokens, self.capacity) - self.spent
        self.at = self.heard_at = now

    def was_not_heard(self, spent: int) -> None:
        """Nobody could be told of `spent`; it is kept for the next time, within reason."""
        self.spent = min(self.spent + spent, int(self.capacity * (1 + DEEPEST_DEBT)))

    @property
    def is_full(self) -> bool:
        """Whether forgetting it would make no difference. Refill before."""
        return self.tokens >= self.capacity and not self.spent

    @property
    def remaining(self) -> int:
        """Whole tokens left."""
        return max(0, int(self.tokens))

    @property
    def full_in(self) -> int:
        """Seconds until all tokens are back."""
        return math.ceil((self.capacity - self.tokens) / self.per_second)

    @property
    def next_in(self) -> int:
        """Seconds until there is a token, at least one."""
        return max(1, math.ceil((1 - self.tokens) / self.per_second))
