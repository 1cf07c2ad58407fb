"""Opaque credentials (API keys, refresh tokens): `<prefix>_<tenant and id>_<secret><checksum>`.

They name their tenant, so that nothing has to be searched across tenants to find it; the secret
part, 192 random bits, is stored only as its SHA-256. Base62, so that a double click selects it all.
The last six digits are the CRC-32 of all before them: a scanner that looks for leaked secrets can
tell one from a text of the same shape without asking anybody.
"""

import hashlib
import hmac
import re
import secrets
import zlib
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from shared.ids import TenantId, new_id

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_VALUES = {digit: value for value, digit in enumerate(_DIGITS)}
_ADDRESS_BYTES, _ADDRESS_DIGITS = 32, 43
_SECRET_BYTES, _SECRET_DIGITS = 24, 33
_CHECKSUM_DIGITS = 6
_SHAPE = re.compile(
    rf"(([a-z]+)_([0-9A-Za-z]{{{_ADDRESS_DIGITS}}})_([0-9A-Za-z]{{{_SECRET_DIGITS}}}))"
    rf"([0-9A-Za-z]{{{_CHECKSUM_DIGITS}}})"
)


@dataclass(frozen=True, slots=True)
class OpaqueToken:
    """A credential, taken apart."""

    prefix: str
    tenant_id: TenantId
    id: UUID
    secret: str

    @classmethod
    def issue(cls, prefix: str, tenant_id: TenantId, token_id: UUID | None = None) -> Self:
        """A credential with a new secret, and with an id of its own unless one is given."""
        secret = _encode(secrets.token_bytes(_SECRET_BYTES), _SECRET_DIGITS)
        return cls(prefix, tenant_id, token_id or new_id(), secret)

    @classmethod
    def parse(cls, text: str, *, prefix: str) -> Self | None:
        """The credential that a text is, or None when it cannot be one of this prefix."""
        parts = split_opaque(text, prefix=prefix)
        if parts is None:
            return None
        address = _decode(parts[0], _ADDRESS_BYTES)
        if address is None:
            return None
        tenant_id, token_id = UUID(bytes=address[:16]), UUID(bytes=address[16:])
        return cls(prefix, TenantId(tenant_id), token_id, parts[1])

    @property
    def text(self) -> str:
        """What the caller keeps and sends."""
        unchecked = f"{self.prefix}_{opaque_address(self.tenant_id, self.id)}_{self.secret}"
        return unchecked + _checksum(unchecked)

    @property
    def digest(self) -> bytes:
        """What is stored in place of the secret."""
        return hashlib.sha256(self.secret.encode()).digest()


def split_opaque(text: str, *, prefix: str) -> tuple[str, str] | None:
    """Address and secret of a credential, not decoded; None when it cannot be one of `prefix`."""
    match = _SHAPE.fullmatch(text)
    if match is None or match[2] != prefix or match[5] != _checksum(match[1]):
        return None
    return match[3], match[4]


def opaque_address(tenant_id: TenantId, token_id: UUID) -> str:
    """The part of a credential that says where to look."""
    return _encode(tenant_id.bytes + token_id.bytes, _ADDRESS_DIGITS)


def secret_matches(secret: str, digest: bytes) -> bool:
    """Whether a secret is the one stored, in constant time."""
    return hmac.compare_digest(hashlib.sha256(secret.encode()).digest(), digest)


def _checksum(text: str) -> str:
    return _encode(zlib.crc32(text.encode()).to_bytes(4, "big"), _CHECKSUM_DIGITS)


def _encode(raw: bytes, digits: int) -> str:
    value = int.from_bytes(raw, "big")
    text = ""
    for _ in range(digits):
        value, digit = divmod(value, len(_DIGITS))
        text = _DIGITS[digit] + text
    return text


def _decode(text: str, size: int) -> bytes | None:
    value = 0
    for digit in text:
        value = value * len(_DIGITS) + _VALUES[digit]
    return value.to_bytes(size, "big") if value < 256**size else None
