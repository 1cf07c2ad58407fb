"""How each platform signs, names and repeats its deliveries. Pure functions over raw bytes.

Most platforms sign the body only, with base64 of HMAC-SHA256: no time and no header is covered. So
a delivery can be replayed by whoever saw it, and the key that makes it count once is all there is
against that. BigCommerce signs as Standard Webhooks has it, with the time.
"""

import base64
import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Protocol

from gateway.platforms.platform import Platform
from gateway.platforms.reading import PayloadNotUnderstood, as_instant, as_text, decode

Headers = Mapping[str, str]
"""Looked up without regard to case."""

_MAX_TOPIC: Final = 200
_MAX_KEY: Final = 120
_UNKNOWN_TOPIC: Final = "unknown"
CHOSEN_HEADER: Final = "x-careloop-secret"
_TOLERANCE_SECONDS: Final = 300
_MAX_DIGITS: Final = 12
_MOST_SIGNATURES: Final = 8
_MAX_THIN: Final = 64 * 1024
_FAR_FUTURE: Final = 2**36


@dataclass(frozen=True, slots=True)
class DeliveryLabel:
    """What stands on a delivery: what it is about, and what it has in common with its repeats."""

    topic: str
    dedup_key: str
    triggered_at: datetime | None


class Dialect(Protocol):
    """How one platform delivers."""

    def is_from(
        self, secrets: Sequence[bytes], headers: Headers, body: bytes, *, now: datetime
    ) -> bool:
        """Whether it comes from somebody who knows one of the secrets."""
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


class SignedBody:
    """What the platforms have in common that sign the body and nothing else."""

    def signature(self, headers: Headers) -> str | None:
        """The signature as sent."""
        raise NotImplementedError

    def is_from(
        self, secrets: Sequence[bytes], headers: Headers, body: bytes, *, now: datetime
    ) -> bool:
        """Whether one of the secrets made the signature, whenever that was."""
        del now
        return is_signed(body, self.signature(headers), secrets)

    def is_ping(self, headers: Headers, body: bytes) -> bool:
        """Few platforms ask, and some of them otherwise."""
        del headers, body
        return False


class ShopifyDialect(SignedBody):
    """`X-Shopify-*`; the newer events say the same in `Shopify-*`."""

    def signature(self, headers: Headers) -> str | None:
        """The signature as sent."""
        return self._header(headers, "hmac-sha256")

    def label(self, headers: Headers, body: bytes) -> DeliveryLabel:
        """A retry has the webhook id of the first attempt."""
        topic = _topic(self._header(headers, "topic"))
        webhook_id = self._header(headers, "webhook-id")
        key = f"id:{webhook_id}" if webhook_id else f"{topic}:{_fingerprint(body)}"
        triggered_at = as_instant(self._header(headers, "triggered-at"))
        return DeliveryLabel(topic, _bounded(key), triggered_at)

    def _header(self, headers: Headers, name: str) -> str | None:
        return headers.get(f"x-shopify-{name}") or headers.get(f"shopify-{name}")


class WooCommerceDialect(SignedBody):
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
            and self.signature(headers) is None
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


class HaravanDialect(SignedBody):
    """`X-Haravan-*`. It asks with a GET; a delivery has no id, so the body itself is the key."""

    def signature(self, headers: Headers) -> str | None:
        """The signature as sent."""
        return headers.get("x-haravan-hmacsha256") or headers.get("x-haravan-hmac-sha256")

    def label(self, headers: Headers, body: bytes) -> DeliveryLabel:
        """What changed has another `updated_at`, and so another body."""
        topic = _topic(headers.get("x-haravan-topic"))
        return DeliveryLabel(topic, _bounded(f"{topic}:{_fingerprint(body)}"), None)


class BigCommerceDialect:
    """Standard Webhooks with the app's client secret, or a header that the shop has chosen.

    Webhooks of before 2024 are not signed: BigCommerce sends along what headers the shop has given
    with the webhook. So ours may be told to it, and is as good.
    """

    def is_from(
        self, secrets: Sequence[bytes], headers: Headers, body: bytes, *, now: datetime
    ) -> bool:
        """A signature counts for five minutes: each attempt is signed anew."""
        told = headers.get(CHOSEN_HEADER, "").encode("latin-1", "replace")
        matches = [hmac.compare_digest(told, secret) for secret in secrets]
        if any(matches):
            return True
        message_id, sent_at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
        if not sent_at.isascii() or not sent_at.isdecimal() or len(sent_at) > _MAX_DIGITS:
            return False
        if abs(now.timestamp() - int(sent_at)) > _TOLERANCE_SECONDS:
            return False
        signed = b".".join((message_id.encode("latin-1", "replace"), sent_at.encode(), body))
        sent = headers.get("webhook-signature", "").split(" ")[:_MOST_SIGNATURES]
        ours = [each.removeprefix("v1,") for each in sent if each.startswith("v1,")]
        matches = [is_signed(signed, signature, secrets) for signature in ours]
        return any(matches)

    def is_ping(self, headers: Headers, body: bytes) -> bool:
        """BigCommerce does not ask."""
        del headers, body
        return False

    def label(self, headers: Headers, body: bytes) -> DeliveryLabel:
        """Only the body says what it is about; it is small.

        A repeat is the same body. `hash`, which is to tell repeats, is part of it, and so is the
        second of the change: the same object changed again is another delivery.
        """
        del headers
        try:
            said = decode(body) if len(body) <= _MAX_THIN else {}
        except PayloadNotUnderstood:
            said = {}
        topic = _topic(as_text(said.get("scope")))
        return DeliveryLabel(topic, _bounded(_fingerprint(body)), _unix(said.get("created_at")))


DIALECTS: Final[Mapping[Platform, Dialect]] = {
    Platform.SHOPIFY: ShopifyDialect(),
    Platform.WOOCOMMERCE: WooCommerceDialect(),
    Platform.HARAVAN: HaravanDialect(),
    Platform.BIGCOMMERCE: BigCommerceDialect(),
}


ASKING: Final = frozenset({Platform.HARAVAN})
"""The platforms that ask with a GET, before they deliver, whether it is to be here."""


def _topic(sent: str | None) -> str:
    topic = (sent or "").strip().lower()[:_MAX_TOPIC]
    return topic or _UNKNOWN_TOPIC


def _unix(value: object) -> datetime | None:
    """A moment in seconds since 1970."""
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < _FAR_FUTURE:
        return None
    return datetime.fromtimestamp(value, UTC)


def _fingerprint(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _bounded(key: str) -> str:
    return key if len(key) <= _MAX_KEY else f"sha256:{_fingerprint(key.encode())}"
