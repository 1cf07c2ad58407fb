"""Deliveries as Shopify and WooCommerce send them, about one Vietnamese shopper.

Written for the demo after the platforms' documented shapes; signed like the real ones.
"""

import base64
import hashlib
import hmac
import json
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import uuid4

_VIETNAM = timezone(timedelta(hours=7))


@dataclass(frozen=True, slots=True)
class Shopper:
    """The person the story is about."""

    name: str = "Nguyễn Thị Hương"
    email: str = "huong.nguyen@example.com"
    phone: str = "0912 345 678"
    shopify_id: int = 7_064_055_069_303
    woo_id: int = 25


@dataclass(frozen=True, slots=True)
class Delivery:
    """One signed HTTP delivery."""

    platform: str
    body: bytes
    headers: dict[str, str]


def shopify_customer_created(shopper: Shopper, secret: str) -> Delivery:
    """`customers/create`: the platform vouches for the address; the name comes decomposed."""
    now = _local_now()
    body = {
        "id": shopper.shopify_id,
        "email": shopper.email,
        "created_at": now,
        "updated_at": now,
        # Vietnamese shoppers write their name in the order in which they say it.
        "first_name": unicodedata.normalize("NFD", shopper.name.split()[0]),
        "last_name": unicodedata.normalize("NFD", " ".join(shopper.name.split()[1:])),
        "state": "enabled",
        "note": None,
        "verified_email": True,
        "tags": "zalo, hà nội",
        "currency": "VND",
        "phone": "+84912345678",
        "addresses": [],
        "email_marketing_consent": {
            "state": "subscribed",
            "opt_in_level": "confirmed_opt_in",
            "consent_updated_at": now,
        },
        "sms_marketing_consent": None,
        "admin_graphql_api_id": f"gid://shopify/Customer/{shopper.shopify_id}",
    }
    return _shopify("customers/create", body, secret)


def shopify_order_created(shopper: Shopper, secret: str, *, order_id: int) -> Delivery:
    """`orders/create`: a paid order of 1,250,000 đ."""
    now = _local_now()
    body = {
        "id": order_id,
        "admin_graphql_api_id": f"gid://shopify/Order/{order_id}",
        "buyer_accepts_marketing": True,
        "cancelled_at": None,
        "confirmed": True,
        "contact_email": shopper.email,
        "created_at": now,
        "processed_at": now,
        "updated_at": now,
        "currency": "VND",
        "presentment_currency": "VND",
        "email": shopper.email,
        "phone": None,
        "name": "#1001",
        "order_number": 1001,
        "financial_status": "paid",
        "fulfillment_status": None,
        "source_name": "web",
        "subtotal_price": "1220000",
        "total_discounts": "0",
        "total_tax": "0",
        "total_price": "1250000",
        "current_total_price": "1250000",
        "total_shipping_price_set": {"shop_money": {"amount": "30000", "currency_code": "VND"}},
        "customer": {
            "id": shopper.shopify_id,
            "email": shopper.email,
            "first_name": shopper.name.split()[0],
            "last_name": " ".join(shopper.name.split()[1:]),
            "state": "enabled",
            "verified_email": True,
            "phone": "+84912345678",
            "tags": "zalo, hà nội",
            "email_marketing_consent": {
                "state": "subscribed",
                "opt_in_level": "confirmed_opt_in",
                "consent_updated_at": now,
            },
            "sms_marketing_consent": None,
            "default_address": {
                "city": "Hà Nội",
                "province": "Hà Nội",
                "country_code": "VN",
                "phone": shopper.phone,
            },
        },
        "billing_address": None,
        "shipping_address": {
            "name": shopper.name,
            "address1": "12 Hàng Bông",
            "city": "Hà Nội",
            "province": "Hà Nội",
            "country_code": "VN",
            "phone": shopper.phone,
        },
        "line_items": [
            {
                "id": order_id + 1,
                "product_id": 632910392,
                "variant_id": 808950810,
                "title": "Áo dài lụa",
                "sku": "AD-LUA-M",
                "quantity": 1,
                "price": "1220000",
                "total_discount": "0",
            }
        ],
        "refunds": [],
        "test": False,
    }
    return _shopify("orders/create", body, secret)


def woocommerce_order_created(shopper: Shopper, secret: str, *, order_id: int) -> Delivery:
    """`order.created` of a registered customer with the same address: 640,000 đ."""
    return _woo_order(
        secret,
        order_id=order_id,
        customer_id=shopper.woo_id,
        billing={
            "first_name": shopper.name.split()[0],
            "last_name": " ".join(shopper.name.split()[1:]),
            "city": "Hà Nội",
            "country": "VN",
            "email": shopper.email,
            "phone": shopper.phone,
        },
    )


def woocommerce_guest_order(shopper: Shopper, secret: str, *, order_id: int) -> Delivery:
    """`order.created` of a guest who typed the same phone number: a claim, no proof."""
    return _woo_order(
        secret,
        order_id=order_id,
        customer_id=0,
        billing={
            "first_name": "Huong",
            "last_name": "",
            "city": "Hà Nội",
            "country": "VN",
            "email": "",
            "phone": shopper.phone,
        },
    )


def _woo_order(
    secret: str, *, order_id: int, customer_id: int, billing: dict[str, str]
) -> Delivery:
    now = datetime.now(UTC).replace(microsecond=0)
    local, utc = now.astimezone(_VIETNAM), now
    body = {
        "id": order_id,
        "parent_id": 0,
        "number": str(order_id),
        "created_via": "checkout",
        "status": "processing",
        "currency": "VND",
        "date_created": local.replace(tzinfo=None).isoformat(),
        "date_created_gmt": utc.replace(tzinfo=None).isoformat(),
        "date_modified": local.replace(tzinfo=None).isoformat(),
        "date_modified_gmt": utc.replace(tzinfo=None).isoformat(),
        "discount_total": "0",
        "shipping_total": "0",
        "total": "640000",
        "total_tax": "0",
        "customer_id": customer_id,
        "billing": billing,
        "shipping": {},
        "payment_method": "cod",
        "date_paid": local.replace(tzinfo=None).isoformat(),
        "date_paid_gmt": utc.replace(tzinfo=None).isoformat(),
        "date_completed": None,
        "line_items": [
            {
                "id": 315,
                "name": "Khăn lụa",
                "product_id": 93,
                "variation_id": 0,
                "quantity": 2,
                "subtotal": "640000",
                "total": "640000",
                "sku": "KL-02",
                "price": 320000,
            }
        ],
        "refunds": [],
        "meta_data": [],
    }
    raw = json.dumps(body).replace("/", "\\/").encode()
    return Delivery(
        platform="woocommerce",
        body=raw,
        headers={
            "content-type": "application/json",
            "x-wc-webhook-source": "https://shop.example.com/",
            "x-wc-webhook-topic": "order.created",
            "x-wc-webhook-resource": "order",
            "x-wc-webhook-event": "created",
            "x-wc-webhook-id": "12",
            "x-wc-webhook-delivery-id": uuid4().hex,
            "x-wc-webhook-signature": _signature(raw, secret),
        },
    )


def _shopify(topic: str, body: dict[str, Any], secret: str) -> Delivery:
    raw = json.dumps(body, ensure_ascii=False).encode()
    return Delivery(
        platform="shopify",
        body=raw,
        headers={
            "content-type": "application/json",
            "x-shopify-topic": topic,
            "x-shopify-shop-domain": "demo.myshopify.com",
            "x-shopify-api-version": "2024-10",
            "x-shopify-webhook-id": str(uuid4()),
            "x-shopify-event-id": str(uuid4()),
            "x-shopify-triggered-at": datetime.now(UTC).isoformat(),
            "x-shopify-hmac-sha256": _signature(raw, secret),
        },
    )


def _signature(raw: bytes, secret: str) -> str:
    return base64.b64encode(hmac.digest(secret.encode(), raw, hashlib.sha256)).decode()


def _local_now() -> str:
    return datetime.now(_VIETNAM).replace(microsecond=0).isoformat()
