"""The platforms that the gateway understands."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from gateway.platforms import haravan, shopify, woocommerce
from gateway.platforms.reading import decode
from gateway.platforms.told import Delivered, Ignored, Reader, Told


class Platform(StrEnum):
    """An e-commerce platform that delivers webhooks."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    HARAVAN = "haravan"


_READERS: Final[Mapping[Platform, Mapping[str, Reader]]] = {
    Platform.SHOPIFY: shopify.READERS,
    Platform.WOOCOMMERCE: woocommerce.READERS,
    Platform.HARAVAN: haravan.READERS,
}


def understand(platform: Platform, delivered: Delivered, body: bytes) -> Told | Ignored:
    """What the body of a delivery says. Raises PayloadNotUnderstood."""
    reader = _READERS[platform].get(delivered.origin.topic)
    if reader is None:
        return Ignored("topic_not_used")
    return reader(replace(delivered, payload=decode(body)))
