"""How each platform signs, names and repeats its deliveries. Pure functions over raw bytes.

All platforms sign the body only, with base64 of HMAC-SHA256: no time and no header is covered. So
a delivery can be replayed by whoever saw it, and the key that makes it count once is all there is
against that.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from gateway.platforms.platform import Platform
from gateway.platforms.reading import as_instant

Headers = Mapping[str, str]
"""Looked up without regard to case."""

_MAX_TOPIC: Final = 200
_MAX_KEY: Final = 120
_UNKNOWN_TOPIC: Final = "unknown"


@dataclass(frozen=True, slots=True)
class DeliveryLabel:
    """What stands on a delivery: what it is about, and what it has in common with its repeats."""

    topic: str
    dedup_key: str
    triggered_at: datetime | None


class Dialect(Protocol):
    """How one platform delivers."""

    def signature(self, headers: Headers) -> str | None:
        """The signature as sent."""
        ...

    def is_ping(self, headers: Headers, body: bytes) -> bool:
        """Whether it only asks if somebody is there; such a question is not signed."""
        ...

    def label(self, headers: Headers, body: bytes) -> DeliveryLabel:
        """What stands on a delivery whose signature is right."""
        ...


def is_signed(body: bytes, signature: str | None, secrets: Iterable[bytes]) -> bool:
    """Whether one of the secrets made the signature, in constant time for each."""
    if not signature:
        return False
    sent = signature.strip().encode("latin-1", "replace")
    matches = [hmac.compare_digest(sent, signature_of(body, secret)) for secret in secrets]
    return any(matches)


def signature_of(body: bytes, secret: bytes) -> bytes:
    """base64 of HMAC-SHA256."""
    return base64.b64encode(hmac.digest(secret, body, hashlib.sha256))


class ShopifyDialect:
    """`X-Shopify-*`; the newer events say the same in `Shopify-*`."""

    def signature(self, headers: Headers) -> str | None:
        """The signature as sent."""
        return self._header(headers, "hmac-sha256")

    def is_ping(self, headers: Headers, body: bytes) -> bool:  # noqa: ARG002
        """Shopify does not ask."""
        return False

    def label(self, headers: Headers, body: bytes) -> DeliveryLabel:
        """A retry has the webhook id of the first attempt."""
        topic = _topic(self._header(headers, "topic"))
        webhook_id = self._header(headers, "webhook-id")
        key = f"id:{webhook_id}" if webhook_id else f"{topic}:{_fingerprint(body)}"
        triggered_at = as_instant(self._header(headers, "triggered-at"))
        return DeliveryLabel(topic, _bounded(key), triggered_at)

    def _header(self, headers: Headers, name: str) -> str | None:
        return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}")


class WooCommerceDialect:
    """`X-WC-Webhook-*`. On saving a webhook WooCommerce asks, unsigned, whether we are there."""

    def signature(self, headers: Headers) -> str | None:
        """The signature as sent."""
        return headers.get("x-wc-webhook-signature")

    def is_ping(self, headers: Headers, body: bytes) -> bool:
        """A form with the webhook's number, without any of the usual headers."""
        media_type = headers.get("content-type", "").partition(";")[0].strip().lower()
        return (
            media_type == "application/x-www-form-urlencoded"
            and body.startswith(b"webhook_id=")
            and "x-wc-webhook-topic" not in headers
        )

    def label(self, headers: Headers, body: bytes) -> DeliveryLabel:
        """WooCommerce has no id that survives a repeat, so the body itself is the key.

        What changed has another `date_modified_gmt`, and so another body. A body without one (a
        deletion is `{"id": 5}`, and things can be deleted again) counts once per delivery id.
        """
        resource, event = headers.get("x-wc-webhook-resource"), headers.get("x-wc-webhook-event")
        named = headers.get("x-wc-webhook-topic")
        topic = _topic(named or (f"{resource}.{event}" if resource and event else None))
        key = f"{topic}:{_fingerprint(body)}"
        if b'"date_modified_gmt"' not in body:
            key = f"{key}:{headers.get('x-wc-webhook-delivery-id', '')}"
        return DeliveryLabel(topic, _bounded(key), None)


class HaravanDialect:
    """`X-Haravan-*`. A delivery has no id, so the body itself is the key."""

    def signature(self, headers: Headers) -> str | None:
        """The signature as sent."""
        return headers.get("x-haravan-hmacsha256") or headers.get("x-haravan-hmac-sha256")

    def is_ping(self, headers: Headers, body: bytes) -> bool:  # noqa: ARG002
        """Haravan asks with a GET."""
        return False

    def label(self, headers: Headers, body: bytes) -> DeliveryLabel:
        """What changed has another `updated_at`, and so another body."""
        topic = _topic(headers.get("x-haravan-topic"))
        return DeliveryLabel(topic, _bounded(f"{topic}:{_fingerprint(body)}"), None)


DIALECTS: Final[Mapping[Platform, Dialect]] = {
    Platform.SHOPIFY: ShopifyDialect(),
    Platform.WOOCOMMERCE: WooCommerceDialect(),
    Platform.HARAVAN: HaravanDialect(),
}


ASKING: Final = frozenset({Platform.HARAVAN})
"""The platforms that ask with a GET, before they deliver, whether it is to be here."""


def _topic(sent: str | None) -> str:
    topic = (sent or "").strip().lower()[:_MAX_TOPIC]
    return topic or _UNKNOWN_TOPIC


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _bounded(key: str) -> str:
    return key if len(key) <= _MAX_KEY else f"sha256:{_fingerprint(key.encode())}"
