"""Receipts that anybody can check: Ed25519 over their canonical JSON. Pure."""

import base64
from collections.abc import Mapping
from typing import Any, Final

import orjson
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from shared.security.keys import RootKey, derive_keys

_PURPOSE: Final = "erasure-receipt"


class ReceiptSigner:
    """Signs with the secret in use, and knows what any secret of the ring signed."""

    def __init__(self, root: RootKey) -> None:
        seeds = derive_keys(root, _PURPOSE)
        self._keys = [Ed25519PrivateKey.from_private_bytes(seed) for seed in seeds]

    @property
    def public_key(self) -> str:
        """The key that checks what is signed now: 32 bytes, base64url."""
        raw = self._keys[0].public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        return base64.urlsafe_b64encode(raw).decode()

    def sign(self, receipt: Mapping[str, Any]) -> str:
        """The signature of a receipt, base64url."""
        return base64.urlsafe_b64encode(self._keys[0].sign(canonical(receipt))).decode()

    def verify(self, receipt: Mapping[str, Any], signature: str) -> bool:
        """Whether exactly this receipt was signed here."""
        try:
            signed = base64.b64decode(signature, altchars=b"-_", validate=True)
        except ValueError:
            return False
        return any(_is_of(key, signed, canonical(receipt)) for key in self._keys)


def canonical(receipt: Mapping[str, Any]) -> bytes:
    """A receipt as it is signed: UTF-8 JSON, keys sorted, no spaces."""
    return orjson.dumps(receipt, option=orjson.OPT_SORT_KEYS)


def _is_of(key: Ed25519PrivateKey, signed: bytes, content: bytes) -> bool:
    try:
        key.public_key().verify(signed, content)
    except InvalidSignature:
        return False
    return True
