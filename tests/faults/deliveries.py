"""Deliveries of platforms about shoppers of our own making, signed as the platforms sign."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from cli.demo.payloads import Delivery, Shopper, shopify_order_created, woocommerce_order_created

_BEGINNING = datetime.now(UTC).replace(microsecond=0) - timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Buyer:
    """Somebody who buys, on either platform with the same confirmed address."""

    number: int
    email: str

    @property
    def shopper(self) -> Shopper:
        """The person as the payloads know people."""
        return Shopper(
            name=f"Nguyễn Thị Khách {self.number}",
            email=self.email,
            phone=f"09{self.number:08d}",
            shopify_id=7_000_000_000_000 + self.number,
            woo_id=1_000 + self.number,
        )


def shopify_order(buyer: Buyer, secret: str, *, order_id: int, total: int, change: int) -> Delivery:
    """`orders/create`, or the order's `orders/updated` number `change`."""
    shopper = buyer.shopper
    made = shopify_order_created(shopper, secret, order_id=order_id)
    body = json.loads(made.body)
    price = str(total)
    body |= {"total_price": price, "current_total_price": price, "subtotal_price": price}
    body["line_items"][0]["price"] = price
    body["updated_at"] = (_BEGINNING + timedelta(seconds=change)).isoformat()
    body["customer"]["phone"] = body["customer"]["default_address"]["phone"] = shopper.phone
    topic = "orders/create" if change == 0 else "orders/updated"
    headers = {
        **made.headers,
        "x-shopify-topic": topic,
        "x-shopify-webhook-id": f"{order_id}-{change}",
    }
    return _signed(made.platform, body, headers, "x-shopify-hmac-sha256", secret)


def woocommerce_order(buyer: Buyer, secret: str, *, order_id: int, total: int) -> Delivery:
    """`order.created` of somebody with an account."""
    made = woocommerce_order_created(buyer.shopper, secret, order_id=order_id)
    body = json.loads(made.body)
    price = str(total)
    body["total"] = body["line_items"][0]["total"] = body["line_items"][0]["subtotal"] = price
    headers = {**made.headers, "x-wc-webhook-delivery-id": f"d{order_id}"}
    return _signed(made.platform, body, headers, "x-wc-webhook-signature", secret)


def _signed(
    platform: str, body: dict[str, Any], headers: dict[str, str], where: str, secret: str
) -> Delivery:
    raw = json.dumps(body, ensure_ascii=False).encode()
    signature = base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()
    return Delivery(platform, raw, {**headers, where: signature})
