"""The instances of one service, and which of them is asked next. No I/O.

They take turns. One that could not be reached is passed over for a while, longer each time; one
that closes its connections is about to end and is passed over for a moment. When all are passed
over they are asked all the same, as a wrong guess must not make a service unavailable: first who
could not be reached, which loses nothing when it is still so, and last who may end with a request
in its hands.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from yarl import URL

FIRST_EJECTION_SECONDS: Final = 0.5
LONGEST_EJECTION_SECONDS: Final = 10.0
LEAVING_SECONDS: Final = 2.0


@dataclass(slots=True, eq=False)
class Instance:
    """One process of a service."""

    origin: URL
    failures: int = 0
    avoided_until: float = 0.0
    is_leaving: bool = False

    def rank(self, now: float) -> int:
        """The lower, the better: there, perhaps not there, about to end."""
        if self.avoided_until <= now:
            return 0
        return 2 if self.is_leaving else 1


class Instances:
    """All instances of one service."""

    def __init__(self, base_urls: Sequence[str], *, clock: Callable[[], float]) -> None:
        if not base_urls:
            raise ValueError("a service needs an address")
        self._instances = [Instance(URL(url).origin()) for url in base_urls]
        self._clock = clock
        self._turn = 0

    def in_turn(self) -> list[Instance]:
        """Each instance once: who is there, who was not reached, who is about to end."""
        if len(self._instances) == 1:
            return [*self._instances]
        self._turn = (self._turn + 1) % len(self._instances)
        turn = self._instances[self._turn :] + self._instances[: self._turn]
        now = self._clock()
        # A stable sort: within each group it stays their turn.
        return sorted(turn, key=lambda instance: instance.rank(now))

    def answered(self, instance: Instance, *, leaving: bool) -> None:
        """It is there; `leaving` when it closes the connection with its answer."""
        instance.failures = 0
        instance.is_leaving = leaving
        if leaving:
            instance.avoided_until = self._clock() + LEAVING_SECONDS
        elif instance.avoided_until:
            instance.avoided_until = 0.0

    def not_reached(self, instance: Instance) -> None:
        """Nobody answers there."""
        pause = min(FIRST_EJECTION_SECONDS * 2**instance.failures, LONGEST_EJECTION_SECONDS)
        instance.failures = min(instance.failures + 1, 10)
        instance.avoided_until = self._clock() + pause
        instance.is_leaving = False
