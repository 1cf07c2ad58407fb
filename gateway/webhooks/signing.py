"""Secrets of endpoints, and the signatures made with them (Standard Webhooks, symmetric v1)."""

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime
from functools import lru_cache
from typing import Final
from uuid import UUID

from standardwebhooks import Webhook

_PREFIX: Final = "whsec_"
# The specification asks for 24 to 64 bytes.
_SECRET_BYTES: Final = 32


def new_secret() -> str:
    """A secret in the form that verifier libraries take."""
    return _PREFIX + base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()


def signature_headers(
    *, message_id: UUID, at: datetime, body: bytes, secrets_: Sequence[str]
) -> dict[str, str]:
    """The headers that prove where `body` comes from: one signature per secret, newest first."""
    text = body.decode()
    signatures = [
        _signer(secret).sign(msg_id=str(message_id), timestamp=at, data=text) for secret in secrets_
    ]
    return {
        "webhook-id": str(message_id),
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": " ".join(signatures),
    }


@lru_cache(maxsize=4096)
def _signer(secret: str) -> Webhook:
    return Webhook(secret)
