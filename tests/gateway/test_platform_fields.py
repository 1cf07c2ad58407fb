"""Of every order and customer that platforms document, nothing is lost that customer care needs.

For each platform: which fields of its payloads are looked at, and what they hold. Whatever such a
field says in a payload must be found again in what is told to the services.
"""

import html
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from fnmatch import fnmatchcase
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
Fields = Mapping[str, str]
"""By the path of a field in a payload: what it holds, and the path where that is told."""


def place(said: str, told: str, **names: str) -> dict[str, str]:
    """The parts of an address at one path, told at another."""
    return {f"{said}.{name}": f"part {told}.{as_}" for name, as_ in names.items()}


_PLACE = {
    "first_name": "name",
    "last_name": "name",
    "name": "name",
    "phone": "phone",
    "company": "company",
    "address1": "street",
    "address2": "street",
    "ward": "ward",
    "district": "district",
    "city": "city",
    "province": "province",
    "zip": "postal_code",
    "country_code": "country",
}
_PERSON = {
    "id": "id external_id",
    "first_name": "part name",
    "last_name": "part name",
    "email": "text email",
    "phone": "text phone",
    "note": "text note",
    "tags": "list tags",
    "addresses[].id": "id addresses[].external_id",
    "default_address.id": "id addresses[].external_id",
    **place("addresses[]", "addresses[]", **_PLACE),
    **place("default_address", "addresses[]", **_PLACE),
}
_BUYER = {f"customer.{name}": how.replace(" ", " customer.") for name, how in _PERSON.items()}
_DIALECT: Fields = {
    "id": "id external_id",
    "name": "text number",
    "note": "text note",
    "tags": "list tags",
    "source_name": "text channel",
    "location_id": "id store",
    "user_id": "id staff",
    "cancel_reason": "text cancel_reason",
    "landing_site": "part landing_page",
    "referring_site": "text referrer",
    "fulfillment_status": "text fulfillment_status",
    "currency": "text currency",
    "total_price": "money total_minor",
    "subtotal_price": "money subtotal_minor",
    "total_discounts": "money discount_minor",
    "total_tax": "money tax_minor",
    "shipping_lines[].price": "money shipping_minor",
    "updated_at": "time changed_at",
    "cancelled_at": "time cancelled_at",
    "email": "text contact_email",
    "phone": "text contact_phone",
    "discount_codes[].code": "text discount_codes[].code",
    "discount_codes[].amount": "money discount_codes[].amount_minor",
    **_BUYER,
    **place("billing_address", "billing_address", **_PLACE),
    **place("shipping_address", "shipping_address", **_PLACE),
    "line_items[].id": "id lines[].external_id",
    "line_items[].product_id": "id lines[].product_id",
    "line_items[].variant_id": "id lines[].variant_id",
    "line_items[].sku": "text lines[].sku",
    "line_items[].name": "part lines[].title",
    "line_items[].vendor": "text lines[].vendor",
    "line_items[].quantity": "count lines[].quantity",
    "line_items[].price": "money lines[].unit_price_minor",
    "transactions[].id": "id payments[].external_id",
    "transactions[].amount": "money payments[].amount_minor",
    "transactions[].gateway": "text payments[].method",
    "transactions[].authorization": "text payments[].reference",
    "fulfillments[].id": "id fulfillments[].external_id",
    "fulfillments[].tracking_number": "text fulfillments[].tracking_number",
    "fulfillments[].tracking_company": "text fulfillments[].carrier",
    "fulfillments[].tracking_url": "text fulfillments[].tracking_url",
    "fulfillments[].line_items[].id": "id fulfillments[].lines[].line_id",
    "fulfillments[].line_items[].quantity": "count fulfillments[].lines[].quantity",
    "refunds[].id": "id refunds[].external_id",
    "refunds[].note": "text refunds[].reason",
    "refunds[].transactions[].amount": "money refunds[].amount_minor",
}
SHOPIFY_CUSTOMER: Fields = _PERSON
SHOPIFY_ORDER: Fields = {
    **_DIALECT,
    "customer_locale": "text customer.locale",
    "processed_at": "time placed_at",
    "payment_gateway_names[]": "part payments[].method",
}
HARAVAN_CUSTOMER: Fields = {**_PERSON, "birthday": "day birth_date"}
HARAVAN_ORDER: Fields = {
    **_DIALECT,
    "customer.birthday": "day customer.birth_date",
    "created_at": "time placed_at",
    "line_items[].type": "text lines[].category",
    "line_items[].total_discount": "money lines[].discount_minor",
    "fulfillments[].created_at": "time fulfillments[].shipped_at",
    **{
        f"utm_{word}": "part landing_page"
        for word in ("source", "medium", "campaign", "term", "content")
    },
}
_WOO_PLACE = {
    "first_name": "name",
    "last_name": "name",
    "phone": "phone",
    "company": "company",
    "address_1": "street",
    "address_2": "street",
    "city": "city",
    "state": "province",
    "postcode": "postal_code",
    "country": "country",
}
WOO_CUSTOMER: Fields = {
    "id": "id external_id",
    "email": "text email",
    "billing.email": "text email",
    "first_name": "part name",
    "last_name": "part name",
    **place("billing", "addresses[]", **_WOO_PLACE),
    **place("shipping", "addresses[]", **_WOO_PLACE),
}
WOO_ORDER: Fields = {
    "id": "id external_id",
    "number": "text number",
    "customer_id": "id customer.external_id",
    "created_via": "text channel",
    "currency": "text currency",
    "customer_note": "text note",
    "total": "money total_minor",
    "discount_total": "money discount_minor",
    "shipping_total": "money shipping_minor",
    "total_tax": "money tax_minor",
    "date_created_gmt": "time placed_at",
    "date_modified_gmt": "time changed_at",
    "date_paid_gmt": "time payments[].paid_at",
    "date_completed_gmt": "time fulfillments[].shipped_at",
    "payment_method_title": "text payments[].method",
    "transaction_id": "text payments[].reference",
    "billing.email": "text contact_email",
    **place("billing", "billing_address", **_WOO_PLACE),
    **place("shipping", "shipping_address", **_WOO_PLACE),
    "line_items[].id": "id lines[].external_id",
    "line_items[].product_id": "id lines[].product_id",
    "line_items[].variation_id": "id lines[].variant_id",
    "line_items[].sku": "text lines[].sku",
    "line_items[].name": "part lines[].title",
    "line_items[].quantity": "count lines[].quantity",
    "line_items[].total": "money lines[].total_minor",
    "line_items[].total_tax": "money lines[].tax_minor",
    "coupon_lines[].code": "text discount_codes[].code",
    "coupon_lines[].discount": "money discount_codes[].amount_minor",
    "refunds[].id": "id refunds[].external_id",
    "refunds[].reason": "text refunds[].reason",
    "refunds[].total": "money refunds[].amount_minor",
}
_BIG_PLACE = {
    "first_name": "name",
    "last_name": "name",
    "phone": "phone",
    "company": "company",
    "city": "city",
    "street_1": "street",
    "street_2": "street",
    "state": "province",
    "zip": "postal_code",
    "country_iso2": "country",
}
_BIG_ADDRESS = {
    "first_name": "name",
    "last_name": "name",
    "phone": "phone",
    "company": "company",
    "city": "city",
    "address1": "street",
    "address2": "street",
    "state_or_province": "province",
    "postal_code": "postal_code",
    "country_code": "country",
}
BIG_CUSTOMER: Fields = {
    "customers[].id": "id external_id",
    "customers[].email": "text email",
    "customers[].phone": "text phone",
    "customers[].company": "text company",
    "customers[].notes": "text note",
    "customers[].first_name": "part name",
    "customers[].last_name": "part name",
    "addresses[].id": "id addresses[].external_id",
    **place("addresses[]", "addresses[]", **_BIG_ADDRESS),
}
BIG_ORDER: Fields = {
    "order.id": "id external_id",
    "order.customer_id": "id customer.external_id",
    "order.channel_id": "id store",
    "order.order_source": "text channel",
    "order.external_order_id": "text number",
    "order.payment_method": "text payments[].method",
    "order.payment_provider_id": "text payments[].reference",
    "order.customer_message": "text note",
    "order.customer_locale": "text customer.locale",
    "order.currency_code": "text currency",
    "order.total_inc_tax": "money total_minor",
    "order.subtotal_inc_tax": "money subtotal_minor",
    "order.shipping_cost_inc_tax": "money shipping_minor",
    "order.total_tax": "money tax_minor",
    "order.refunded_amount": "money refunded_minor",
    "order.date_created": "time placed_at",
    "order.date_modified": "time changed_at",
    "order.date_shipped": "time fulfillments[].shipped_at",
    "order.billing_address.email": "text contact_email",
    **place("order.billing_address", "billing_address", **_BIG_PLACE),
    **place("shipping_addresses[]", "every_shipping_address[]", **_BIG_PLACE),
    "products[].id": "id lines[].external_id",
    "products[].product_id": "id lines[].product_id",
    "products[].variant_id": "id lines[].variant_id",
    "products[].sku": "text lines[].sku",
    "products[].brand": "text lines[].vendor",
    "products[].name": "text lines[].title",
    "products[].quantity": "count lines[].quantity",
    "products[].price_inc_tax": "money lines[].unit_price_minor",
    "products[].total_inc_tax": "money lines[].total_minor",
    "products[].total_tax": "money lines[].tax_minor",
    "products[].applied_discounts[].amount": "money lines[].discount_minor",
}
TABLES: Mapping[tuple[str, str], Fields] = {
    ("shopify", "customer"): SHOPIFY_CUSTOMER,
    ("shopify", "order"): SHOPIFY_ORDER,
    ("haravan", "customer"): HARAVAN_CUSTOMER,
    ("haravan", "order"): HARAVAN_ORDER,
    ("woocommerce", "customer"): WOO_CUSTOMER,
    ("woocommerce", "order"): WOO_ORDER,
    ("bigcommerce", "customer"): BIG_CUSTOMER,
    ("bigcommerce", "order"): BIG_ORDER,
}

# What payloads say besides, and why nobody needs it told. Everything else has to be in a table.
LEFT_OUT: Sequence[str] = (
    # How the platform sees itself: its other names of things, versions, flags, links, caches.
    *("*admin_graphql_api_id", "*_id", "*_ids[]", "*token", "*version", "*.url", "*.resource"),
    *("*_url", "avatar_url", "role", "username", "test", "confirmed", "order_key", "reference"),
    *("*.product_exists", "*.requires_shipping", "*.taxable", "*.fulfillment_service"),
    *("*.variant_inventory_management", "*inventory*", "*.default", "*status_code", "*_number"),
    *("*.service", "*.receipt.*", "*.source", "source", "source_identifier", "*processing*"),
    *("landing_site_ref", "number", "*.last_order_name", "last_order_name", "gateway_code"),
    *("*.image.src", "*links*", "prev_order_date", "confirm_user", "*.source_name"),
    *("order.cart_id", "*.tracking_numbers[]", "*.tracking_urls[]", "*.option_set_id"),
    *("*.bin_picking_number", "*.shipping_zone_name", "*.address_type", "*.tax_exempt_category"),
    *("*.message", "*.type", "*.target", "*.accepts_product_review_*", "*.shipping_method"),
    # What the readers turn into words of the house: states, consents, kinds, verified addresses.
    *("*status", "status", "*state", "*.kind", "*.opt_in_level", "*consent_updated_at", "*gender"),
    *("*consent_collected_from", "*accepts_marketing*", "*verified_email", "*restock_type"),
    *("order.custom_status", "*status_name"),
    # Said more than once: of a customer beside each of their addresses, of an order in each part.
    *("*.country", "*.country_name", "*_code", "*.customer.default_address.*", "payment_method"),
    *("*.name_customer", "*.name_merchant", "order_number", "*.variant_title", "*.title"),
    *("*shipping_addresses[].email", "*.store_default_*", "gateway", "processed_at"),
    *("*fulfillments[[]].line_items[[]].*", "refunds[[]].refund_line_items[[]].*"),
    *("*currency_*", "*.currency", "presentment_currency", "order.currency_code*"),
    *("billing_address.id", "shipping_addresses[[]].id"),
    *("order.*currency*", "order.geoip_country*", "currency", "contact_email"),
    # Figures that the house has of its own, or that add up to those that are told.
    *("*orders_count", "*total_spent", "*last_order_date", "current_*", "*_set.*", "total_line_*"),
    *("total_outstanding", "total_price_usd", "total_tip_received", "*.grams", "*tax_lines*"),
    *("*pre_tax_price", "*.discounted_price", "*.price_original", "*.ma_cost_amount", "*duties*"),
    *("*applied_discounts*", "*discount_allocations*", "discount_applications*", "*.amount"),
    *("*_ex_tax", "*_exc_tax", "*subtotal_tax", "*.subtotal", "*.taxes[].*", "*cost*", "*.weight"),
    *("*.base_*", "*items_total", "*items_shipped", "*.shipping_address_count", "*.fees[].*"),
    *("*.wrapping_*", "*.handling_*", "*.discount_amount", "*.coupon_discount", "*.price_tax"),
    *("*.depth", "*.width", "*.height", "*.discounted_total_*", "*refund_amount", "*cert*_amount"),
    *("order.store_credit_amount", "*.store_credit_amounts*", "line_items[].price", "*.quantity"),
    *("cart_tax", "discount_tax", "shipping_tax", "shipping_lines[].*", "line_items[].total*"),
    *("*.fulfillable_quantity", "*.current_quantity", "*.attributed_staffs*", "total_weight"),
    # Times of things that are told with the time of the whole.
    *("*created_at", "*updated_at", "date_*", "confirmed_at", "*.date_*", "*_at"),
    # Of the device, of goods and of payments what customer care must not or need not know.
    *("browser_ip", "client_details*", "*payment_details*", "order.ip_address", "*latitude"),
    *("*longitude", "*.barcode", "*.upc", "order.credit_card_type*", "*.is_bundled_product"),
    # Free-form extras of themes and plugins, whose meaning only the shop knows.
    *("*note_attributes*", "*properties*", "*meta_data*", "*form_fields*", "*product_options*"),
    *("order.staff_notes", "*assigned_location_name", "location_name", "*segment_ids*"),
)


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
    for item in each if isinstance(each, list | tuple) else []:
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


_IS_TOLD: Mapping[str, Callable[[Any, Sequence[Any], str], bool]] = {
    "text": lambda v, told, _: any(plain(v) == plain(each) for each in told),
    "part": lambda v, told, _: any(plain(v).lower() in plain(each).lower() for each in told),
    "list": lambda v, told, _: {plain(w) for w in str(v).split(",") if w.strip()} <= {*told},
    "id": lambda v, told, _: str(v) in told,
    "money": lambda v, told, currency: (
        abs(Money.from_platform(v, currency).amount_minor) in {0, *map(abs, told)}
    ),
    "time": lambda v, told, _: moment(v) in told,
    "day": lambda v, told, _: date.fromisoformat(str(v)[:10]) in told,
    "count": lambda v, told, _: int(v) in told,
}


def somewhere(value: Any) -> Any:
    """The same without addresses that say nothing but a country, or nothing at all."""
    if isinstance(value, list):
        return [somewhere(each) for each in value]
    if not isinstance(value, Mapping):
        return value
    if "country_code" in value and not any(
        plain(value[name]) for name in _PLACE if name != "country_code" and value.get(name)
    ):
        return {}
    return {name: somewhere(inner) for name, inner in value.items()}


def missing(payload: Any, told: Any, fields: Fields, *, currency: str = "VND") -> list[str]:
    """The fields that say something which is not told where it should be."""
    payload = {**somewhere(payload)}
    payload["transactions"] = _of_currency(payload.get("transactions"), currency)
    found = told.model_dump()
    every = [found.get("shipping_address"), *(found.get("further_shipping_addresses") or ())]
    found["every_shipping_address"] = [each for each in every if each]
    gone = []
    for path, how in fields.items():
        kind, _, where = how.partition(" ")
        values = list(leaves(list(at(found, where))))
        gone += [
            f"{path} = {value!r}"
            for value in at(payload, path)
            if not _IS_TOLD[kind](value, values, currency)
        ]
    return gone


def said_paths(value: Any, path: str = "") -> Iterator[str]:
    """The path of everything that a payload says; blanks and `false` say nothing."""
    if isinstance(value, Mapping):
        for name, inner in value.items():
            yield from said_paths(inner, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for inner in value:
            yield from said_paths(inner, f"{path}[]")
    elif value not in BLANKS and value is not False:
        yield path


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
    telling = {"customer": {"first_name", "username"}, "order": {"line_items"}}
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


READERS: Mapping[str, tuple[Mapping[str, Reader], Mapping[str, str]]] = {
    "shopify": (shopify.READERS, {"customer": "customers/update", "order": "orders/updated"}),
    "haravan": (haravan.READERS, {"customer": "customers/update", "order": "orders/updated"}),
    "woocommerce": (
        woocommerce.READERS,
        {"customer": "customer.updated", "order": "order.updated"},
    ),
    "bigcommerce": (
        bigcommerce.READERS,
        {"customer": "store/customer/updated", "order": "store/order/updated"},
    ),
}
AT_LEAST = {
    ("shopify", "customer"): 6,
    ("shopify", "order"): 8,
    ("haravan", "customer"): 4,
    ("haravan", "order"): 8,
    ("woocommerce", "customer"): 1,
    ("woocommerce", "order"): 2,
    ("bigcommerce", "customer"): 1,
    ("bigcommerce", "order"): 2,
}
each_kind = pytest.mark.parametrize(
    ("platform", "kind"), list(TABLES), ids=lambda value: str(value)
)


def _big(name: str) -> Any:
    return decode_any((FOLDER / "bigcommerce" / f"{name}.json").read_bytes())


def decode_any(body: bytes) -> Any:
    return decode(b'{"it":' + body + b"}")["it"]


def fetched_from_bigcommerce() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """What is put together of the documented answers of a store."""
    parts = {
        "products": _big("rest_v2_order_products"),
        "shipping_addresses": _big("rest_v2_order_shipping_addresses"),
    }
    for name in ("rest_v2_order", "rest_v2_order_multiple_items"):
        yield name, "order", {"order": _big(name), **parts}
    for customer in _big("rest_v3_customers")["data"]:
        # The example has the numbers of nobody.
        addresses = [{**each, "id": 60} for each in customer["addresses"]]
        others = {name: value for name, value in customer.items() if name != "addresses"}
        fetched = {"customers": [{**others, "id": 32}], "addresses": addresses}
        yield "rest_v3_customers", "customer", fetched


def documented(platform: str, kind: str) -> list[tuple[str, dict[str, Any]]]:
    """Every payload of a platform about a customer, or an order."""
    found = fetched_from_bigcommerce() if platform == "bigcommerce" else payloads(platform)
    return [(name, payload) for name, of, payload in found if of == kind]


@each_kind
def test_nothing_is_lost(platform: str, kind: str) -> None:
    readers, topics = READERS[platform]
    lost = {}
    found = documented(platform, kind)
    for name, payload in found:
        told = told_by(readers, topics[kind], payload)
        currency = getattr(told, "currency", "VND")
        gone = missing(payload, told, TABLES[platform, kind], currency=currency)
        if gone:
            lost[name] = gone
    assert len(found) >= AT_LEAST[platform, kind]
    assert lost == {}


@each_kind
def test_every_field_is_told_or_left_out_for_a_reason(platform: str, kind: str) -> None:
    said = {path for _, payload in documented(platform, kind) for path in said_paths(payload)}
    unknown = {
        path
        for path in said - TABLES[platform, kind].keys()
        if not any(fnmatchcase(path, pattern) for pattern in LEFT_OUT)
    }
    assert unknown == set()


# Values that a reader would not believe if they were made up.
BELIEVED: Mapping[str, Any] = {
    "currency": "USD",
    "currency_code": "USD",
    "first_name": "Lan",
    "last_name": "Nguyễn",
    "name": "Nguyễn Lan",
}
# What makes a reader believe the rest.
BESIDES: Mapping[tuple[str, str], Mapping[str, Any]] = {
    ("shopify", "order"): {
        "transactions[].kind": "sale",
        "refunds[].transactions[].kind": "refund",
        "fulfillments[].status": "success",
    },
    ("haravan", "order"): {
        "transactions[].kind": "sale",
        "refunds[].transactions[].kind": "refund",
        "fulfillments[].status": "success",
    },
    ("woocommerce", "order"): {"status": "completed"},
    # Of two addresses of one account only its own is told.
    ("woocommerce", "customer"): {"billing.email": "person2@example.com"},
}
# A field that is only said in place of others: the payload is then one without those.
IN_PLACE_OF: Mapping[str, str] = {"payment_gateway_names[]": "transactions"}
_VALUES: Mapping[str, Callable[[int], Any]] = {
    "text": lambda n: f"word {n}",
    "part": lambda n: f"word {n}",
    "list": lambda n: f"tag {n}, tag {n} more",
    "id": lambda n: 7_000_000_000_000 + n,
    "money": lambda n: f"{1000 + n}.25",
    "time": lambda n: f"2026-03-01T02:15:{n % 60:02d}Z",
    "day": lambda n: f"1990-05-{1 + n % 28:02d}",
    "count": lambda n: 1 + n,
}


def put(payload: dict[str, Any], path: str, value: Any) -> None:
    """Say something at a path; a list gets one item."""
    name, _, rest = path.partition(".")
    plain_name = name.removesuffix("[]")
    if not rest:
        payload[plain_name] = [value] if name.endswith("[]") else value
    elif name.endswith("[]"):
        payload.setdefault(plain_name, [{}])
        put(payload[plain_name][0], rest, value)
    else:
        put(payload.setdefault(plain_name, {}), rest, value)


def says_everything(fields: Fields) -> dict[str, Any]:
    """A payload with something of its own in every field of a table."""
    payload: dict[str, Any] = {}
    for number, (path, how) in enumerate(fields.items(), start=1):
        name = path.rpartition(".")[2]
        value = _VALUES[how.partition(" ")[0]](number)
        if "email" in name:
            value = f"person{number}@example.com"
        if "country" in name:
            value = "US"
        put(payload, path, BELIEVED.get(name, value))
    return payload


@each_kind
def test_a_payload_that_says_everything_is_told_whole(platform: str, kind: str) -> None:
    """No field of a table may pass for never having been said."""
    readers, topics = READERS[platform]
    fields = TABLES[platform, kind]
    payload = says_everything(fields)
    for path, value in BESIDES.get((platform, kind), {}).items():
        put(payload, path, value)
    assert {path for path in fields if not list(at(payload, path))} == set()
    others = {path: how for path, how in fields.items() if path not in IN_PLACE_OF}
    told = told_by(readers, topics[kind], payload)
    currency = getattr(told, "currency", "USD")
    assert missing(payload, told, others, currency=currency) == []
    for path in fields.keys() & IN_PLACE_OF.keys():
        without = {name: said for name, said in payload.items() if name != IN_PLACE_OF[path]}
        without["financial_status"] = "paid"
        told = told_by(readers, topics[kind], without)
        assert missing(without, told, {path: fields[path]}, currency=currency) == []


@each_kind
def test_addresses_are_looked_at_whole(platform: str, kind: str) -> None:
    """Of what payloads say of places nothing may hide behind a reason."""
    words = ("address1", "address2", "address_1", "address_2", "street_", "city", "ward", "zip")
    said = {path for _, payload in documented(platform, kind) for path in said_paths(payload)}
    places = {path for path in said if path.rpartition(".")[2].startswith(words)}
    places = {path for path in places if not path.endswith(("ward_code", "_code"))}
    assert places
    assert places <= TABLES[platform, kind].keys()


def test_a_field_that_is_not_told_is_found():
    payload = {"id": 5, "currency": "VND", "total_price": "1", "note": "Gói quà"}
    told = told_by(shopify.READERS, "orders/updated", payload)
    assert missing(payload, told, SHOPIFY_ORDER) == []
    assert missing(payload, told.model_copy(update={"note": None}), SHOPIFY_ORDER) == [
        "note = 'Gói quà'"
    ]
