"""The measured requests: what a client sends to the house, and what a minimal program is sent."""

import base64
import hashlib
import hmac
import itertools
import json
from collections.abc import Iterator

from bench.load import Shot
from cli.demo.payloads import Shopper, shopify_order_created

_JSON = {"content-type": "application/json"}


def customers(url: str, key: str | None, *, start: int, idempotent: bool = False) -> Iterator[Shot]:
    """New customers, each with a name, a number and an address of their own."""
    headers = {**_JSON, **_bearer(key)}
    for number in itertools.count(start):
        if idempotent:
            headers["idempotency-key"] = f"bench-{start}-{number}"
        person = {
            "name": f"Nguyễn Văn {number}",
            "phone": f"08{number % 6 + 1}{number:07d}"[:10],
            "email": f"moi{number}@example.com",
        }
        yield Shot.of("POST", url, headers=headers, body=json.dumps(person).encode())


def tickets(url: str, key: str | None, customer_ids: list[str]) -> Iterator[Shot]:
    """Complaints of known customers."""
    headers = {**_JSON, **_bearer(key)}
    for number in itertools.count():
        ticket = {
            "subject": "Áo bị lỗi đường may",
            "text": f"Đơn hàng {number}: áo bị bung chỉ.",
            "type": "complaint",
            "urgency": "high",
            "requester": {"customer_id": customer_ids[number % len(customer_ids)]},
        }
        yield Shot.of("POST", url, headers=headers, body=json.dumps(ticket).encode())


def bare_tickets(url: str) -> Iterator[Shot]:
    """The same words as one row."""
    for number in itertools.count():
        row = {"name": "Áo bị lỗi đường may", "body": f"Đơn hàng {number}: áo bị bung chỉ."}
        yield Shot.of("POST", url, headers=_JSON, body=json.dumps(row).encode())


def orders(url: str, key: str, customer_ids: list[str], *, start: int) -> Iterator[Shot]:
    """New orders of known customers, two lines each."""
    headers = {**_JSON, **_bearer(key)}
    price = {"amount": "175000", "currency": "VND"}
    for number in itertools.count(start):
        lines = [
            {"title": f"Áo dài {size}", "quantity": 1, "unit_price": price, "total": price}
            for size in ("S", "M")
        ]
        order = {
            "customer_id": customer_ids[number % len(customer_ids)],
            "source": "pos",
            "external_id": f"bench-{number}",
            "financial_status": "paid",
            "total": {"amount": "350000", "currency": "VND"},
            "lines": lines,
        }
        yield Shot.of("POST", url, headers=headers, body=json.dumps(order).encode())


def bare_orders(url: str) -> Iterator[Shot]:
    """The same order as one row."""
    for number in itertools.count():
        row = {"name": f"bench-{number}", "body": "2 x Áo dài, 350000 VND"}
        yield Shot.of("POST", url, headers=_JSON, body=json.dumps(row).encode())


def webhooks(url: str, secret: str) -> Iterator[Shot]:
    """Shopify orders, each delivery with an id of its own."""
    template = shopify_order_created(Shopper(), secret, order_id=1)
    for number in itertools.count(1):
        body = template.body.replace(b'"order_number": 1001', b'"order_number": %d' % number)
        signature = base64.b64encode(hmac.digest(secret.encode(), body, hashlib.sha256)).decode()
        headers = {
            **template.headers,
            "x-shopify-webhook-id": f"bench-{number}",
            "x-shopify-hmac-sha256": signature,
        }
        yield Shot.of("POST", url, headers=headers, body=body)


def bare_webhooks(url: str) -> Iterator[Shot]:
    """The same bodies, kept without a look."""
    template = shopify_order_created(Shopper(), "secret", order_id=1)
    for number in itertools.count(1):
        body = template.body.replace(b'"order_number": 1001', b'"order_number": %d' % number)
        yield Shot.of("POST", url, headers=_JSON, body=body)


def get(url: str, key: str | None = None) -> Shot:
    """A GET."""
    return Shot.of("GET", url, headers=_bearer(key))


def _bearer(key: str | None) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"} if key else {}
