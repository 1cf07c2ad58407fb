"""The platforms that the gateway understands."""

from collections.abc import Mapping
from dataclasses import replace
from enum import StrEnum
from typing import Final

from gateway.platforms import bigcommerce, haravan, shopify, woocommerce
from gateway.platforms.reading import decode
from gateway.platforms.told import Delivered, Ignored, Reader, Told
from gateway.platforms.wanted import ThinPlatform


class Platform(StrEnum):
    """An e-commerce platform that delivers webhooks."""

    SHOPIFY = "shopify"
    WOOCOMMERCE = "woocommerce"
    HARAVAN = "haravan"
    BIGCOMMERCE = "bigcommerce"


_READERS: Final[Mapping[Platform, Mapping[str, Reader]]] = {
    Platform.SHOPIFY: shopify.READERS,
    Platform.WOOCOMMERCE: woocommerce.READERS,
    Platform.HARAVAN: haravan.READERS,
    Platform.BIGCOMMERCE: bigcommerce.READERS,
}
LEAVING: Final = frozenset({"shop/redact"})
"""What a platform says of a shop that it has nothing to do with any more."""
OF_THE_LAW: Final = frozenset({"app/uninstalled", "customers/data_request", "customers/redact"})
"""What it still says then."""
THIN: Final[Mapping[Platform, ThinPlatform]] = {Platform.BIGCOMMERCE: bigcommerce.THIN}
"""The platforms whose deliveries only name what has changed: the rest is asked for."""


def understand(platform: Platform, delivered: Delivered, body: bytes) -> Told | Ignored:
    """What the body of a delivery says. Raises PayloadNotUnderstood."""
    reader = _READERS[platform].get(delivered.origin.topic)
    if reader is None:
        return Ignored("topic_not_used")
    return reader(replace(delivered, payload=decode(body)))
