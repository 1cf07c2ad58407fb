"""What became of an attempt to send, and what follows from it. Pure.

The taxonomy: a fault of the *recipient* or the *content* ends the message, a *throttle* is met with
patience and counts as a try, an unreachable or misconfigured *provider* delays without costing a
try, and what nobody can tell is `unknown` and never repeated blindly.
"""

import re
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

Stage = Literal["sender", "recipient", "content"]
Kind = Literal["sent", "failed", "deferred", "postponed", "released", "unknown"]

MAX_ATTEMPTS: Final = 5
_RETRY_AFTER: Final = tuple(timedelta(seconds=s) for s in (30, 120, 600, 1800))
# Adds up to a day: longer than a provider's outage or a slow stream should last.
_POSTPONE: Final = tuple(timedelta(seconds=s) for s in (2, 5, 15, 60, 300, 900, 1800))
_POSTPONE_ON: Final = timedelta(hours=1)
MAX_POSTPONEMENTS: Final = 30

_ENHANCED_STATUS: Final = re.compile(r"\b([245])\.(\d{1,3})\.(\d{1,3})\b")
# RFC 3463: no such mailbox, no such domain, null MX (RFC 7505), mailbox moved or disabled.
_NOBODY_THERE: Final = frozenset({("1", "1"), ("1", "2"), ("1", "6"), ("1", "10"), ("2", "1")})
_MAX_DETAIL: Final = 500
_REFUSALS: Final[dict[Stage, str]] = {
    "sender": "SENDER_REFUSED",
    "recipient": "RECIPIENT_REFUSED",
    "content": "CONTENT_REFUSED",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """How one attempt ended. `nobody_there`: the address itself is at fault."""

    kind: Kind
    reason: str | None = None
    detail: str | None = None
    nobody_there: bool = False


RELEASED: Final = Outcome("released")


def accepted(response: str) -> Outcome:
    """The provider took the message."""
    return Outcome("sent", detail=_one_line(response))


def refused(stage: Stage, code: int, response: str) -> Outcome:
    """The provider answered with an error at this stage of the conversation (RFC 5321 4.2)."""
    detail = _one_line(f"{code} {response}")
    if code == 421:
        return Outcome("postponed", "PROVIDER_UNREACHABLE", detail)
    if code in (530, 534, 535, 538):
        return Outcome("postponed", "PROVIDER_LOGIN_REFUSED", detail)
    if 400 <= code < 500:
        return Outcome("deferred", "TEMPORARILY_REFUSED", detail)
    status = _ENHANCED_STATUS.search(response)
    nobody = stage == "recipient" and status is not None and status.groups()[1:] in _NOBODY_THERE
    return Outcome("failed", _REFUSALS[stage], detail, nobody_there=nobody)


def unreachable(error: BaseException) -> Outcome:
    """The provider could not be talked to; nothing has left."""
    return Outcome("postponed", "PROVIDER_UNREACHABLE", _one_line(str(error) or repr(error)))


def not_allowed(error: BaseException) -> Outcome:
    """The channel's host is one that nothing may be sent to; nothing was connected to."""
    return Outcome("postponed", "PROVIDER_NOT_ALLOWED", _one_line(str(error)))


def login_refused(code: int, response: str) -> Outcome:
    """The provider does not accept the channel's credentials."""
    return Outcome("postponed", "PROVIDER_LOGIN_REFUSED", _one_line(f"{code} {response}"))


def unclear(error: BaseException) -> Outcome:
    """The connection broke after the message had been handed over, before the answer."""
    return Outcome("unknown", "OUTCOME_UNKNOWN", _one_line(str(error) or repr(error)))


def retry_delay(attempts: int) -> timedelta | None:
    """How long to wait after this many tries; None when that was the last."""
    return _RETRY_AFTER[attempts - 1] if attempts < MAX_ATTEMPTS else None


def postpone_delay(postponements: int) -> timedelta | None:
    """How long to wait after having waited this many times; None when it has been a day."""
    if postponements >= MAX_POSTPONEMENTS:
        return None
    return _POSTPONE[postponements] if postponements < len(_POSTPONE) else _POSTPONE_ON


def _one_line(text: str) -> str:
    return " ".join(text.split())[:_MAX_DETAIL]
