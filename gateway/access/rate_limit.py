"""How often somebody may ask."""

import re
from dataclasses import dataclass
from typing import Annotated, Any, Final

from pydantic import BeforeValidator
from pydantic_settings import NoDecode

_SHAPE: Final = re.compile(r"(\d{1,9})/(\d{1,5})s?")


@dataclass(frozen=True, slots=True)
class RateLimit:
    """At most `requests` at once, and as many again come back, evenly, in `seconds`.

    This is a token bucket: whoever has been quiet may send a burst, and in the long run nobody
    gets more than `requests` per `seconds`.
    """

    requests: int
    seconds: int

    def __post_init__(self) -> None:
        if self.requests < 1 or self.seconds < 1:
            raise ValueError("a limit lets at least one request through in at least one second")

    @property
    def per_second(self) -> float:
        """How many come back in a second."""
        return self.requests / self.seconds

    @classmethod
    def parse(cls, text: str) -> "RateLimit":
        """The limit that `600/60` says: 600 requests in 60 seconds. Raises ValueError."""
        match = _SHAPE.fullmatch(text.strip())
        if match is None:
            raise ValueError("write a limit as requests/seconds, such as 600/60")
        return cls(int(match[1]), int(match[2]))


def _parsed(value: Any) -> Any:
    return RateLimit.parse(value) if isinstance(value, str) else value


LimitSetting = Annotated[RateLimit, NoDecode, BeforeValidator(_parsed)]
"""A limit as an environment variable says it."""
