"""Of every order and customer that platforms document, nothing is lost that customer care needs.

For each platform: which fields of its payloads are looked at, and what they hold. Whatever such a
field says in a payload must be found again in what is told to the services.
"""

import html
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from gateway.platforms import bigcommerce, haravan, shopify, woocommerce
from gateway.platforms.reading import decode
from gateway.platforms.told import Delivered, Reader, Told
from shared.contracts.gateway import PlatformOrigin
from shared.ids import new_id
from shared.money import Money
from shared.text import tidy
from tests.gateway.fixtures import FOLDER, needs_fixtures

pytestmark = needs_fixtures
RECEIVED = datetime(2026, 3, 1, tzinfo=UTC)

# Haravan writes this address for everybody who has given none: it must not make them one person.
BLANKS = (None, "", 0, "0", "guest@haravan.com")
Fields = Mapping[str, Sequence[str]]

_PERSON = ("first_name", "last_name", "phone", "email")
_PLACE = ("address1", "address2", "city", "province", "zip", "company", "ward", "district")
SHOPIFY_CUSTOMER: Fields = {
    "text": [*_PERSON, "note", *(f"default_address.{part}" for part in _PLACE)],
    "list": ["tags"],
    "id": ["id", "addresses[].id"],
}
SHOPIFY_ORDER: Fields = {
    "text": [
        *("name", "note", "source_name", "cancel_reason", "landing_site", "referring_site"),
        *("fulfillment_status", "discount_codes[].code", "line_items[].sku", "line_items[].vendor"),
        *(f"billing_address.{part}" for part in (*_PLACE, "phone")),
        *(f"shipping_address.{part}" for part in (*_PLACE, "phone")),
        *(f"customer.{part}" for part in ("email", "note")),
        *("fulfillments[].tracking_number", "fulfillments[].tracking_company"),
        *("refunds[].note", "payment_gateway_names[]"),
    ],
    "part": ["customer.first_name", "customer.last_name", "line_items[].name"],
    "list": ["tags"],
    "id": [
        *("id", "customer.id", "location_id", "user_id", "transactions[].id", "refunds[].id"),
        *("fulfillments[].id", "line_items[].id", "line_items[].product_id"),
        "line_items[].variant_id",
    ],
    "money": [
        *("total_price", "subtotal_price", "total_discounts", "total_tax"),
        *("discount_codes[].amount", "line_items[].price", "transactions[].amount"),
        "refunds[].transactions[].amount",
    ],
    "time": ["updated_at", "cancelled_at"],
    "count": ["line_items[].quantity"],
}
HARAVAN_CUSTOMER: Fields = {
    **SHOPIFY_CUSTOMER,
    "day": ["birthday"],
}
HARAVAN_ORDER: Fields = {
    **SHOPIFY_ORDER,
    "text": [
        *(each for each in SHOPIFY_ORDER["text"] if each != "payment_gateway_names[]"),
        *("line_items[].type", "transactions[].gateway"),
    ],
    "part": [
        *SHOPIFY_ORDER["part"],
        *(f"utm_{word}" for word in ("source", "medium", "campaign", "term", "content")),
    ],
    "time": ["updated_at", "cancelled_at", "created_at", "fulfillments[].created_at"],
}
_WOO_PLACE = ("company", "address_1", "address_2", "city", "state", "postcode", "country")
WOO_CUSTOMER: Fields = {
    "text": ["email", *(f"billing.{p}" for p in (*_WOO_PLACE, "phone"))],
    "part": ["first_name", "last_name", *(f"shipping.{p}" for p in _WOO_PLACE)],
    "id": ["id"],
}
WOO_ORDER: Fields = {
    "text": [
        *("number", "created_via", "customer_note", "payment_method_title", "transaction_id"),
        *(f"billing.{part}" for part in (*_WOO_PLACE, "phone", "email")),
        *(f"shipping.{part}" for part in _WOO_PLACE),
        *("line_items[].sku", "coupon_lines[].code", "refunds[].reason"),
    ],
    "part": ["billing.first_name", "billing.last_name", "line_items[].name"],
    "id": [
        *("id", "customer_id", "refunds[].id", "line_items[].id", "line_items[].product_id"),
        "line_items[].variation_id",
    ],
    "money": [
        *("total", "discount_total", "shipping_total", "total_tax", "refunds[].total"),
        *("line_items[].total", "line_items[].total_tax", "coupon_lines[].discount"),
    ],
    "utc": ["date_created_gmt", "date_modified_gmt", "date_paid_gmt", "date_completed_gmt"],
    "count": ["line_items[].quantity"],
}
_BIG_PLACE = ("company", "street_1", "city", "state", "zip", "country_iso2", "phone")
BIG_CUSTOMER: Fields = {
    "text": [
        *("email", "company", "phone", "notes", "addresses[].city", "addresses[].company"),
        *("addresses[].state_or_province", "addresses[].postal_code", "addresses[].phone"),
    ],
    "part": ["first_name", "last_name", "addresses[].address1"],
    "id": ["id"],
}
BIG_ORDER: Fields = {
    "text": [
        *("payment_method", "order_source", "customer_message", "customer_locale"),
        *("external_order_id", "billing_address.email"),
        *(f"billing_address.{part}" for part in _BIG_PLACE),
    ],
    "part": ["billing_address.first_name", "billing_address.last_name"],
    "id": ["id", "customer_id", "channel_id"],
    "money": ["total_inc_tax", "subtotal_inc_tax", "shipping_cost_inc_tax", "total_tax"],
    "time": ["date_created", "date_modified", "date_shipped"],
}
BIG_PRODUCT: Fields = {
    "text": ["sku", "brand", "name"],
    "id": ["id", "product_id", "variant_id"],
    "money": ["price_inc_tax", "total_inc_tax", "total_tax"],
    "count": ["quantity"],
}


def leaves(value: Any) -> Iterator[Any]:
    """Everything that is told, without its names."""
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from leaves(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from leaves(inner)
    elif value is not None:
        yield value


def at(payload: Any, path: str) -> Iterator[Any]:
    """What stands at a path; `[]` for each of a list. Blanks are nothing."""
    name, _, rest = path.partition(".")
    found = payload.get(name.removesuffix("[]")) if isinstance(payload, Mapping) else None
    each = (found or []) if name.endswith("[]") else [found]
    for item in each if isinstance(each, list) else []:
        if rest:
            yield from at(item, rest)
        elif item not in BLANKS:
            yield item


def moment(value: str) -> datetime | None:
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(value)
        except ValueError:
            continue
        return found.replace(tzinfo=UTC) if found.tzinfo is None else found.astimezone(UTC)
    return None


def plain(value: Any) -> str:
    return tidy(html.unescape(str(value)), max_length=2000) or ""


def _of_currency(moves: Any, currency: str) -> list[Any]:
    """The money moves in the order's currency: others are not money of this order."""
    return [each for each in moves or () if each.get("currency", currency) == currency]


def missing(payload: Any, told: Any, fields: Fields, *, currency: str = "VND") -> list[str]:
    """The fields that say something which is not told."""
    payload = {**payload, "transactions": _of_currency(payload.get("transactions"), currency)}
    said = list(leaves(told.model_dump()))
    texts = [str(each) for each in said if isinstance(each, str)]
    numbers = {abs(each) for each in said if isinstance(each, int) and not isinstance(each, bool)}
    times = {each for each in said if isinstance(each, datetime)}
    days = {each for each in said if isinstance(each, date)}
    is_told: Mapping[str, Callable[[Any], bool]] = {
        "text": lambda v: plain(v) in texts or any(plain(v) in each for each in texts),
        "part": lambda v: any(plain(v) in each for each in texts),
        "list": lambda v: all(plain(word) in texts for word in str(v).split(",") if word.strip()),
        "id": lambda v: str(v) in texts,
        "money": lambda v: abs(Money.from_platform(v, currency).amount_minor) in {0, *numbers},
        "time": lambda v: moment(v) in times,
        "utc": lambda v: moment(v) in times,
        "day": lambda v: date.fromisoformat(str(v)[:10]) in days,
        "count": lambda v: int(v) in numbers,
    }
    return [
        f"{path} = {value!r}"
        for kind, paths in fields.items()
        for path in paths
        for value in at(payload, path)
        if not is_told[kind](value)
    ]


def payloads(platform: str) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Name, kind (customer or order) and object of every payload of one; lists taken apart."""
    for folder in (FOLDER / platform, FOLDER / "constructed" / platform):
        for path in sorted(folder.glob("*.json")):
            content = decode(path.read_bytes()) if path.read_bytes().lstrip()[:1] == b"{" else {}
            body: Any = content
            if "headers" in content:
                raw = content.get("raw_body", content.get("body"))
                body = decode(raw.encode()) if isinstance(raw, str) and raw[:1] == "{" else raw
            for kind in ("customer", "order"):
                for number, found in enumerate(objects(path.stem, kind, body)):
                    yield f"{folder.parent.name}/{path.stem}#{number}", kind, found


def objects(name: str, kind: str, body: Any) -> list[dict[str, Any]]:
    """The orders (or customers) that a payload holds."""
    if not isinstance(body, dict):
        return []
    if isinstance(body.get(f"{kind}s"), list):
        return list(body[f"{kind}s"])
    if isinstance(body.get(kind), dict) and "id" not in body:
        # What asks for data, or to forget somebody, only names them.
        return [] if "redact" in name or "data_request" in name else [body[kind]]
    telling = {"customer": {"default_address", "username"}, "order": {"line_items"}}
    is_one = kind in name and "draft" not in name and "id" in body
    return [body] if is_one and body.keys() & telling[kind] else []


def told_by(readers: Mapping[str, Reader], topic: str, payload: dict[str, Any]) -> Any:
    origin = PlatformOrigin(
        source="test",
        connection_id=new_id(),
        delivery_id=new_id(),
        topic=topic,
        received_at=RECEIVED,
    )
    told = readers[topic](Delivered(origin, payload))
    assert isinstance(told, Told), told
    return told.event.order if told.kind == "order" else told.event.customer


@pytest.mark.parametrize(
    ("platform", "readers", "topics", "fields", "at_least"),
    [
        (
            "shopify",
            shopify.READERS,
            {"customer": "customers/update", "order": "orders/updated"},
            {"customer": SHOPIFY_CUSTOMER, "order": SHOPIFY_ORDER},
            12,
        ),
        (
            "haravan",
            haravan.READERS,
            {"customer": "customers/update", "order": "orders/updated"},
            {"customer": HARAVAN_CUSTOMER, "order": HARAVAN_ORDER},
            12,
        ),
        (
            "woocommerce",
            woocommerce.READERS,
            {"customer": "customer.updated", "order": "order.updated"},
            {"customer": WOO_CUSTOMER, "order": WOO_ORDER},
            3,
        ),
    ],
)
def test_nothing_is_lost(platform, readers, topics, fields, at_least):
    lost, seen = {}, 0
    for name, kind, payload in payloads(platform):
        seen += 1
        told = told_by(readers, topics[kind], payload)
        currency = payload.get("currency", "VND")
        gone = missing(payload, told, fields[kind], currency=currency)
        if gone:
            lost[name] = gone
    assert seen >= at_least
    assert lost == {}


def _big(name: str) -> Any:
    return json.loads((FOLDER / "bigcommerce" / f"{name}.json").read_text())


@pytest.mark.parametrize("name", ["rest_v2_order", "rest_v2_order_multiple_items"])
def test_nothing_is_lost_of_bigcommerce(name):
    found = _big(name)
    for payload in found if isinstance(found, list) else [found]:
        products = _big("rest_v2_order_products")
        addresses = _big("rest_v2_order_shipping_addresses")
        told = bigcommerce.order_of(payload, products=products, shipping_addresses=addresses)
        currency = payload.get("currency_code") or payload["default_currency_code"]
        assert missing(payload, told, BIG_ORDER, currency=currency) == []
        assert len(told.lines) == len(products)
        for product in products:
            assert missing(product, told, BIG_PRODUCT, currency=currency) == []
        where = {"text": [*(part for part in _BIG_PLACE if part != "phone")]}
        assert missing(addresses[0], told, where) == []


def test_nothing_is_lost_of_bigcommerce_customers():
    for payload in _big("rest_v3_customers")["data"]:
        assert missing(payload, bigcommerce.customer_of(payload), BIG_CUSTOMER) == []


def test_a_field_that_is_not_told_is_found():
    payload = {"id": 5, "currency": "VND", "total_price": "1", "note": "Gói quà"}
    told = told_by(shopify.READERS, "orders/updated", payload)
    assert missing(payload, told, SHOPIFY_ORDER) == []
    assert missing(payload, told.model_copy(update={"note": None}), SHOPIFY_ORDER) == [
        "note = 'Gói quà'"
    ]
