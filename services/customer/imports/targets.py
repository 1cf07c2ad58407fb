"""What a column of a file can be mapped to."""

import re
from typing import Final

from services.customer.consents.recording import Channel, Purpose

TEXTS: Final = {
    "city": 255,
    "province": 255,
    "honorific": 40,
    "occupation": 255,
    "position": 255,
    "tax_code": 32,
}
"""Texts that are taken as they are, and how long they may be."""

_PURPOSES: Final[tuple[Purpose, ...]] = ("marketing", "care")
_CHANNELS: Final[tuple[Channel, ...]] = ("email", "sms", "zalo", "call")
CONSENTS: Final[dict[str, tuple[Purpose, Channel]]] = {
    f"consent.{purpose}.{channel}": (purpose, channel)
    for purpose in _PURPOSES
    for channel in _CHANNELS
}
TARGETS: Final = frozenset(
    {"name", "family_name", "first_name", "email", "phone", "gender", "birth_date", "address"}
    | {"country", "tags", "code", "external_id", "note", "created_at"}
    | {"consent_at", "consent_proof", *TEXTS, *CONSENTS}
)
ATTRIBUTE: Final = re.compile(r"attributes\.([a-z][a-z0-9_]{0,63})")


def is_target(name: str) -> bool:
    """Whether a column can be mapped to it."""
    return name in TARGETS or ATTRIBUTE.fullmatch(name) is not None
