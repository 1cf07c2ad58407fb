"""What still counts of what a customer has answered. Pure functions."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

EXPIRED: Final = "expired"
"""A yes whose time is over; nobody says it, the clock does."""


def consents_at(consents: Sequence[Mapping[str, Any]], now: datetime) -> list[Mapping[str, Any]]:
    """The current answers as they are at this moment: a yes counts until it expires."""
    return [
        {**consent, "status": EXPIRED} if has_expired(consent, now) else consent
        for consent in consents
    ]


def has_expired(consent: Mapping[str, Any], now: datetime) -> bool:
    """Whether it is a yes that counts no more; a no has no end."""
    until = consent.get("expires_at")
    if until is None or consent["status"] != "granted":
        return False
    ends_at = until if isinstance(until, datetime) else datetime.fromisoformat(until)
    return ends_at <= now
