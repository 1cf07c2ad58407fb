"""Codes of an authenticator app (TOTP, RFC 6238) and codes for when the app is lost."""

import base64
import hashlib
import secrets
from collections.abc import Iterator
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor import InvalidToken
from cryptography.hazmat.primitives.twofactor.totp import TOTP

DIGITS: Final = 6
STEP_SECONDS: Final = 30
# A code of the step before and after is taken too: clocks differ, and typing takes time.
_DRIFT: Final = 1
_SECRET_BYTES: Final = 20
_RECOVERY_BYTES: Final = 10
RECOVERY_CODES: Final = 10


def new_secret() -> str:
    """A secret for an app, in base32 as apps take it."""
    return base64.b32encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def enrolment_uri(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code says that an app reads."""
    return _totp(secret).get_provisioning_uri(account, issuer.replace(":", " "))


def matching_step(secret: str, code: str, *, at: datetime, after: int | None) -> int | None:
    """The time step that a code is of; None when it is of none around `at` and past `after`."""
    current = int(at.timestamp()) // STEP_SECONDS
    totp = _totp(secret)
    found = None
    for step in range(current - _DRIFT, current + _DRIFT + 1):
        try:
            totp.verify(code.encode(), step * STEP_SECONDS)
        except InvalidToken:
            continue
        found = step
    return found if found is not None and (after is None or found > after) else None


def new_recovery_codes() -> list[str]:
    """Codes to keep on paper: 80 random bits each, so that a plain hash of them is enough."""
    return [_grouped(secrets.token_bytes(_RECOVERY_BYTES)) for _ in range(RECOVERY_CODES)]


def recovery_digest(code: str) -> bytes:
    """What is stored of a recovery code, however it was typed."""
    return hashlib.sha256("".join(_letters(code)).encode()).digest()


def _totp(secret: str) -> TOTP:
    # SHA-1 is what apps know; as a MAC it is not broken (RFC 6238, 1.2).
    return TOTP(base64.b32decode(secret), DIGITS, SHA1(), STEP_SECONDS)  # noqa: S303


def _grouped(raw: bytes) -> str:
    text = base64.b32encode(raw).decode().lower()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def _letters(code: str) -> Iterator[str]:
    return (char for char in code.lower() if char.isalnum())
