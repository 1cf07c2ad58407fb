"""When to try again, and when to give up. Pure; the intervals are those the specification gives.

https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import random
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Final

_S, _M, _H = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
# Three days in all: a receiver may be down over a weekend's night and miss nothing.
DELAYS: Final = (5 * _S, 5 * _M, 30 * _M, 2 * _H, 5 * _H, 10 * _H, 14 * _H, 20 * _H, 24 * _H)
MAX_TRIES: Final = len(DELAYS) + 1
DISABLE_AFTER: Final = timedelta(days=5)
_LONGEST_WAIT: Final = 24 * _H
_SPREAD: Final = 0.2
_MAX_DIGITS: Final = 9


def next_try(
    tries: int,
    *,
    now: datetime,
    asked_to_wait: timedelta | None,
    spread: Callable[[float, float], float] = random.uniform,
) -> datetime | None:
    """When to try again after this many tries; None when that was the last.

    The delay varies by a fifth, so that what failed together does not come back together. It is
    never shorter than the receiver asked for.
    """
    if tries >= MAX_TRIES:
        return None
    delay = DELAYS[tries - 1] * spread(1 - _SPREAD, 1 + _SPREAD)
    return now + max(delay, min(asked_to_wait or timedelta(), _LONGEST_WAIT))


def retry_after(value: str | None, *, now: datetime) -> timedelta | None:
    """What a `Retry-After` header asks for (RFC 9110, 10.2.3), a day at most.

    None when it cannot be read.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdecimal() and len(text) <= _MAX_DIGITS:
        return min(timedelta(seconds=int(text)), _LONGEST_WAIT)
    try:
        moment = parsedate_to_datetime(text)
        wait = moment.replace(tzinfo=moment.tzinfo or UTC) - now
    except (ValueError, OverflowError):
        return None
    return min(max(timedelta(), wait), _LONGEST_WAIT)


def has_failed_for_good(failing_since: datetime | None, *, now: datetime) -> bool:
    """Whether a receiver that takes nothing is to be sent nothing more."""
    return failing_since is not None and now - failing_since >= DISABLE_AFTER
