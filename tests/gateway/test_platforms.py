"""What platforms say, and what is understood of it."""

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gateway.platforms.platform import THIN, Platform, understand
from gateway.platforms.reading import (
    PayloadNotUnderstood,
    as_id,
    as_instant,
    as_minor,
    as_quantity,
    decode,
)
from gateway.platforms.told import Delivered, Ignored, Told
from shared.contracts.gateway import (
    PlatformCustomerReceived,
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderReceived,
    PlatformOrigin,
)
from tests.gateway.fixtures import deliveries_of, needs_fixtures

CONNECTION = UUID("0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00")
RECEIVED = datetime(2026, 3, 1, 2, 20, tzinfo=UTC)


def delivered(platform: Platform, topic: str, **options: Any) -> Delivered:
    origin = PlatformOrigin(
        source=platform.value,
        connection_id=CONNECTION,
        delivery_id=uuid4(),
        topic=topic,
        received_at=RECEIVED,
    )
    return Delivered(origin, options=options)


def hear(platform: Platform, topic: str, payload: Any, **options: Any) -> Told | Ignored:
    body = payload if isinstance(payload, bytes) else json.dumps(payload).encode()
    return understand(platform, delivered(platform, topic, **options), body)


def shopify_order(**fields: Any) -> PlatformOrder:
    payload = {
        "id": 820982911946154508,
        "name": "#1001",
        "currency": "VND",
        "total_price": "1250000",
        "processed_at": "2026-03-01T09:15:00+07:00",
        "updated_at": "2026-03-01T09:16:00+07:00",
        "line_items": [],
        "customer": None,
        **fields,
    }
    told = hear(Platform.SHOPIFY, "orders/create", payload)
    assert isinstance(told, Told)
    assert isinstance(told.event, PlatformOrderReceived)
    return told.event.order


def shopify_customer(topic: str = "customers/update", **fields: Any) -> PlatformIdentity:
    told = hear(Platform.SHOPIFY, topic, {"id": 7000000000001, **fields})
    assert isinstance(told, Told)
    assert isinstance(told.event, PlatformCustomerReceived)
    return told.event.customer


def woo_order(options: dict[str, Any] | None = None, **fields: Any) -> PlatformOrder:
    payload = {
        "id": 901,
        "number": "901",
        "status": "processing",
        "currency": "VND",
        "total": "1250000",
        "customer_id": 0,
        "date_created_gmt": "2026-03-01T02:15:00",
        "date_modified_gmt": "2026-03-01T02:16:00",
        "billing": {},
        "line_items": [],
        **fields,
    }
    told = hear(Platform.WOOCOMMERCE, "order.created", payload, **(options or {}))
    assert isinstance(told, Told)
    assert isinstance(told.event, PlatformOrderReceived)
    return told.event.order


class TestReading:
    def test_big_ids_are_exact(self) -> None:
        assert as_id(decode(b'{"id": 820982911946154508123}')["id"]) == "820982911946154508123"
        assert as_id(decode(b'{"id": 12.0}')["id"]) == "12"

    @pytest.mark.parametrize("value", [None, "", 0, "0", " ", [], True])
    def test_no_id(self, value: object) -> None:
        assert as_id(value) is None

    @pytest.mark.parametrize(
        ("text", "hour"),
        [
            ("2026-03-01T09:15:00+07:00", 2),
            ("2026-03-01T02:15:00", 2),
            ("2026-03-01T02:15:00.290670248Z", 2),
        ],
    )
    def test_moments_are_utc(self, text: str, hour: int) -> None:
        moment = as_instant(text)
        assert moment is not None
        assert (moment.hour, moment.tzinfo) == (hour, UTC)

    @pytest.mark.parametrize(
        "value",
        [
            *("", None, "yesterday", 5),
            *("0001-01-01T00:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z"),
        ],
    )
    def test_no_moment(self, value: object) -> None:
        assert as_instant(value) is None

    @pytest.mark.parametrize(
        ("value", "currency", "minor"),
        [
            ("398.00", "USD", 39800),
            ("1250000", "VND", 1250000),
            ("1250000.0000", "VND", 1250000),
            (3, "USD", 300),
            ("", "USD", None),
            (None, "USD", None),
            (True, "USD", None),
            ("free", "USD", None),
            ("1e999999", "USD", None),
        ],
    )
    def test_money(self, value: object, currency: str, minor: int | None) -> None:
        assert as_minor(value, currency) == minor

    @pytest.mark.parametrize(("value", "count"), [(2, 2), ("3", 3), ("x", 0), (10**30, 10**9)])
    def test_quantities(self, value: object, count: int) -> None:
        assert as_quantity(value) == count

    @pytest.mark.parametrize(
        "body", [b"", b"[]", b"nonsense", b"\xff", b'{"a": NaN}', b"[" * 200_000, b"1" * 9000]
    )
    def test_what_is_no_object_is_not_understood(self, body: bytes) -> None:
        with pytest.raises(PayloadNotUnderstood):
            hear(Platform.SHOPIFY, "orders/create", body)

    def test_an_unknown_topic_is_not_even_parsed(self) -> None:
        for platform in Platform:
            assert hear(platform, "carts/whatever", b"nonsense") == Ignored("topic_not_used")


class TestShopify:
    def test_money_and_times(self) -> None:
        order = shopify_order(
            subtotal_price="1200000",
            total_discounts="50000",
            total_tax="10000",
            total_shipping_price_set={"shop_money": {"amount": "40000", "currency_code": "VND"}},
        )
        assert (order.total_minor, order.currency) == (1250000, "VND")
        assert (order.subtotal_minor, order.discount_minor) == (1200000, 50000)
        assert (order.tax_minor, order.shipping_minor) == (10000, 40000)
        assert order.placed_at == datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
        assert order.external_id == "820982911946154508"
        assert order.number == "#1001"

    def test_lines(self) -> None:
        line = {
            "id": 1,
            "product_id": 5,
            "variant_id": 6,
            "sku": "AO-DAI",
            "name": "Áo dài - Đỏ",
            "quantity": 3,
            "price": "200000",
            "total_discount": "0",
            "discount_allocations": [{"amount": "50000"}],
        }
        (told,) = shopify_order(line_items=[line]).lines
        assert (told.quantity, told.unit_price_minor, told.total_minor) == (3, 200000, 550000)
        assert (told.title, told.product_id, told.sku) == ("Áo dài - Đỏ", "5", "AO-DAI")

    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            ({}, "open"),
            ({"fulfillment_status": "partial"}, "open"),
            ({"fulfillment_status": "fulfilled"}, "completed"),
            ({"closed_at": "2026-03-02T00:00:00Z"}, "completed"),
            ({"cancelled_at": "2026-03-02T00:00:00Z", "closed_at": "x"}, "cancelled"),
        ],
    )
    def test_status(self, fields: dict[str, str], status: str) -> None:
        assert shopify_order(**fields).status == status

    @pytest.mark.parametrize(
        ("sent", "status"),
        [
            ("authorized", "pending"),
            ("paid", "paid"),
            ("refunded", "refunded"),
            (None, "unknown"),
            ("novel", "unknown"),
        ],
    )
    def test_financial_status(self, sent: str | None, status: str) -> None:
        assert shopify_order(financial_status=sent).financial_status == status

    def test_refunds_count_what_was_paid_back(self) -> None:
        refunds = [
            {
                "transactions": [
                    {"kind": "refund", "status": "success", "amount": "100000"},
                    {"kind": "refund", "status": "failure", "amount": "7"},
                    {"kind": "sale", "amount": "9"},
                ]
            },
            {"refund_line_items": [{"subtotal": 50000, "total_tax": 0}]},
        ]
        assert shopify_order(refunds=refunds).refunded_minor == 150000

    @pytest.mark.parametrize("status", ["failure", "error", "pending"])
    def test_a_refund_of_which_no_money_has_come_back_counts_nothing(self, status: str) -> None:
        refund = {
            "refund_line_items": [{"subtotal": 50000, "total_tax": 0}],
            "transactions": [{"kind": "refund", "status": status, "amount": "50000"}],
        }
        assert shopify_order(refunds=[refund]).refunded_minor == 0

    @pytest.mark.parametrize(
        ("move", "status"),
        [
            ({"kind": "sale", "status": "success"}, "paid"),
            ({"kind": "sale", "status": "pending"}, "pending"),
            ({"kind": "capture", "status": "failure"}, "failed"),
            ({"kind": "authorization", "status": "success"}, "authorized"),
            ({"kind": "pending", "status": None}, "pending"),
        ],
    )
    def test_money_has_come_in_when_its_move_has_ended_well(
        self, move: dict[str, str | None], status: str
    ) -> None:
        (payment,) = shopify_order(transactions=[{"id": 1, "amount": "50000", **move}]).payments
        assert (payment.status, payment.paid_at is not None) == (status, False)

    def test_a_guest_is_known_by_what_they_typed(self) -> None:
        guest = shopify_order(
            email="",
            contact_email=None,
            customer_locale="vi",
            shipping_address={
                "first_name": "Thị Hồng Ngọc",
                "last_name": "Nguyễn",
                "phone": "0901 234 567",
                "city": "Hồ Chí Minh",
                "country_code": "VN",
            },
        ).customer
        assert guest is not None
        assert (guest.external_id, guest.email, guest.email_verified) == (None, None, False)
        assert (guest.phone, guest.name) == ("0901 234 567", "Thị Hồng Ngọc Nguyễn")
        assert (guest.city, guest.country, guest.locale) == ("Hồ Chí Minh", "VN", "vi")

    def test_nobody_at_all_is_nobody(self) -> None:
        assert shopify_order(email="").customer is None

    def test_only_the_customers_own_address_is_vouched_for(self) -> None:
        customer = {"id": 5, "email": None, "verified_email": True}
        buyer = shopify_order(email="typed@example.com", customer=customer).customer
        assert buyer is not None
        assert (buyer.email, buyer.email_verified) == ("typed@example.com", False)
        vouched = {"id": 5, "email": "own@example.com", "verified_email": True}
        buyer = shopify_order(email="typed@example.com", customer=vouched).customer
        assert buyer is not None
        assert (buyer.email, buyer.email_verified) == ("own@example.com", True)

    def test_names_are_composed_and_tidy(self) -> None:
        customer = shopify_customer(
            first_name="Đặng\u0000 Thi\u0323 Thu\u0300y ", last_name="Tr\u00e2\u0300n"
        )
        assert customer.name == "Đặng Thị Thùy Trần"

    @pytest.mark.parametrize(
        ("state", "consent"),
        [
            ("subscribed", "granted"),
            ("unsubscribed", "withdrawn"),
            ("not_subscribed", None),
            ("pending", None),
            (None, None),
        ],
    )
    def test_consent(self, state: str | None, consent: str | None) -> None:
        customer = shopify_customer(email_marketing_consent={"state": state})
        assert customer.email_marketing == consent

    def test_consent_topics_tell_of_the_customer(self) -> None:
        stated = {"state": "unsubscribed", "consent_updated_at": "2026-03-01T00:00:00Z"}
        told = hear(
            Platform.SHOPIFY,
            "customers_email_marketing_consent/update",
            {"customer_id": 5, "email_address": "a@b.example", "email_marketing_consent": stated},
        )
        assert isinstance(told, Told)
        assert isinstance(told.event, PlatformCustomerReceived)
        assert (told.object_id, told.event.customer.email_marketing) == ("5", "withdrawn")
        assert told.event.changed_at == datetime(2026, 3, 1, tzinfo=UTC)

    def test_tags_are_listed(self) -> None:
        assert shopify_customer(tags="VIP, sỉ,, VIP ").tags == ("VIP", "sỉ")

    def test_deletions(self) -> None:
        told = hear(Platform.SHOPIFY, "customers/delete", {"id": 5})
        assert isinstance(told, Told)
        assert told.event.deleted
        told = hear(Platform.SHOPIFY, "orders/delete", {"id": 5})
        assert isinstance(told, Told)
        assert (told.event.deleted, told.object_id) == (True, "5")

    @pytest.mark.parametrize("missing", ["id", "currency", "total_price"])
    def test_an_order_without_what_it_needs_is_not_understood(self, missing: str) -> None:
        with pytest.raises(PayloadNotUnderstood, match=missing):
            shopify_order(**{missing: None})

    def test_amounts_that_no_column_holds_are_not_understood(self) -> None:
        line = {"quantity": 10**9, "price": "90000000000000000"}
        with pytest.raises(PayloadNotUnderstood, match="range"):
            shopify_order(line_items=[line])

    def test_everything_of_one_order_has_one_key(self) -> None:
        keys = set()
        for topic in ("orders/create", "orders/updated", "orders/delete"):
            payload = {"id": 5, "currency": "VND", "total_price": "1"}
            told = hear(Platform.SHOPIFY, topic, payload)
            assert isinstance(told, Told)
            keys.add(told.key)
        told = hear(Platform.SHOPIFY, "customers/update", {"id": 5})
        assert isinstance(told, Told)
        assert len(keys) == 1
        assert told.key not in keys


class TestWooCommerce:
    def test_gmt_is_utc_without_saying_so(self) -> None:
        order = woo_order()
        assert order.placed_at == datetime(2026, 3, 1, 2, 15, tzinfo=UTC)
        assert order.changed_at == datetime(2026, 3, 1, 2, 16, tzinfo=UTC)

    def test_a_guest_is_known_by_what_they_typed(self) -> None:
        billing = {"first_name": "Lê", "last_name": "Văn Đạt", "email": "", "phone": "0901234567"}
        guest = woo_order(billing=billing).customer
        assert guest is not None
        assert (guest.external_id, guest.email, guest.name) == (None, None, "Lê Văn Đạt")
        assert guest.phone == "0901234567"

    def test_addresses_count_as_confirmed_only_if_the_shop_says_so(self) -> None:
        billing = {"email": "dat@example.com"}
        confirmed = {"emails_verified": True}

        def verified(options: dict[str, Any], customer_id: int) -> bool:
            order = woo_order(options, billing=billing, customer_id=customer_id)
            assert order.customer is not None
            return order.customer.email_verified

        assert not verified({}, 25)
        assert verified(confirmed, 25)
        assert not verified(confirmed, 0)

    @pytest.mark.parametrize(
        ("fields", "status", "financial"),
        [
            ({"status": "pending"}, "open", "pending"),
            ({"status": "on-hold"}, "open", "pending"),
            ({"status": "processing"}, "open", "pending"),
            ({"status": "processing", "date_paid_gmt": "2026-03-01T02:15:00"}, "open", "paid"),
            ({"status": "completed"}, "completed", "paid"),
            ({"status": "cancelled"}, "cancelled", "voided"),
            ({"status": "failed"}, "cancelled", "voided"),
            ({"status": "refunded"}, "completed", "refunded"),
            ({"refunds": [{"total": "-50000"}]}, "open", "partially_refunded"),
            ({"status": "novel"}, "open", "pending"),
        ],
    )
    def test_status(self, fields: dict[str, Any], status: str, financial: str) -> None:
        order = woo_order(**fields)
        assert (order.status, order.financial_status) == (status, financial)

    def test_refunds_are_listed_as_negative(self) -> None:
        assert woo_order(refunds=[{"total": "-16000"}, {"total": "-4000"}]).refunded_minor == 20000
        assert woo_order(status="refunded").refunded_minor == 1250000

    def test_lines(self) -> None:
        line = {
            "id": 316,
            "name": "Ship Your Idea &ndash; Đen",
            "product_id": 22,
            "variation_id": 0,
            "quantity": 2,
            "total": "120000",
            "price": 60000.5,
            "sku": "",
        }
        (told,) = woo_order(line_items=[line]).lines
        assert (told.title, told.variant_id, told.sku) == ("Ship Your Idea – Đen", None, None)
        assert (told.quantity, told.total_minor, told.unit_price_minor) == (2, 120000, 60000)

    def test_drafts_are_ignored_and_trash_is_deleted(self) -> None:
        draft = hear(Platform.WOOCOMMERCE, "order.updated", {"id": 1, "status": "checkout-draft"})
        assert draft == Ignored("order_is_a_draft")
        trash = hear(Platform.WOOCOMMERCE, "order.updated", {"id": 1, "status": "trash"})
        assert isinstance(trash, Told)
        assert trash.event.deleted


@needs_fixtures
class TestRealPayloads:
    @pytest.mark.parametrize("platform", [each for each in Platform if each not in THIN])
    def test_every_one_is_understood_or_ignored(self, platform: Platform) -> None:
        heard = {
            name: hear(platform, headers.get(_TOPIC[platform], "unknown"), body)
            for name, headers, body in deliveries_of(platform.value)
        }
        assert len(heard) >= 10
        told = {name for name, said in heard.items() if isinstance(said, Told)}
        words = ("order", "customer", "shop.redact")
        assert all(any(word in name for word in words) for name in told), told
        for name in heard:
            if "/orders." in name or "/customers.create" in name:
                assert name in told

    def test_five_hundred_lines(self) -> None:
        order = self._constructed(Platform.SHOPIFY, "orders.create_huge_500_lines")
        assert len(order.lines) == 500

    def test_the_shops_own_currency_counts(self) -> None:
        order = self._constructed(Platform.SHOPIFY, "orders.create_multicurrency")
        assert (order.total_minor, order.currency) == (4990, "USD")

    def test_a_guest_with_a_vietnamese_name(self) -> None:
        order = self._constructed(Platform.WOOCOMMERCE, "order.created_guest_vn")
        assert order.customer is not None
        assert (order.customer.name, order.total_minor) == ("Lê Văn Đạt", 1250000)

    def _constructed(self, platform: Platform, name: str) -> PlatformOrder:
        deliveries = {n: (h, b) for n, h, b in deliveries_of(platform.value)}
        headers, body = deliveries[f"constructed/{name}"]
        told = hear(platform, headers[_TOPIC[platform]], body)
        assert isinstance(told, Told)
        assert isinstance(told.event, PlatformOrderReceived)
        return told.event.order


_TOPIC = {
    Platform.SHOPIFY: "x-shopify-topic",
    Platform.WOOCOMMERCE: "x-wc-webhook-topic",
    Platform.HARAVAN: "x-haravan-topic",
}

_TOPICS = {
    Platform.SHOPIFY: ["orders/create", "customers/update", "customers_marketing_consent/update"],
    Platform.WOOCOMMERCE: ["order.updated", "customer.created", "order.deleted"],
    Platform.HARAVAN: ["orders/updated", "customers/update", "orders/delete"],
    Platform.BIGCOMMERCE: [
        "store/order/updated",
        "store/customer/address/updated",
        "store/customer/deleted",
    ],
}
_WHEN = "Mon, 11 Mar 2019 15:17:25 +0000"
_FIELDS = [
    *("id", "customer_id", "currency", "total_price", "total", "status", "customer", "billing"),
    *("email", "phone", "line_items", "refunds", "shipping_address", "updated_at", "tags"),
    *("date_modified", "billing_address", "status", "address1", "city"),
    *("date_modified_gmt", "email_marketing_consent", "sms_marketing_consent", "first_name"),
]
_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(_FIELDS) | st.text(max_size=5), inner, max_size=5)
    ),
    max_leaves=12,
)


@given(
    platform=st.sampled_from(list(Platform)),
    which=st.integers(0, 2),
    payload=st.dictionaries(st.sampled_from(_FIELDS), _json),
)
def test_whatever_comes_is_understood_ignored_or_refused_by_name(
    platform: Platform, which: int, payload: dict[str, Any]
) -> None:
    said = {"id": 1, "currency": "VND", "total": "1", "total_price": "1", **payload}
    if platform is Platform.BIGCOMMERCE:
        order = {"currency_code": "VND", "total_inc_tax": "1", "date_modified": _WHEN, **said}
        said = {"order": order, "customers": [said], "addresses": [payload], "data": said}
    try:
        told = hear(platform, _TOPICS[platform][which], json.dumps(said).encode())
    except PayloadNotUnderstood:
        return
    if isinstance(told, Told):
        # What is told must survive its way through JSON and the database's JSONB.
        text = told.event.model_dump_json()
        assert "\\u0000" not in text
        assert type(told.event).model_validate_json(text) == told.event


class TestPrivacy:
    @pytest.mark.parametrize("asked", ["data_request", "redact"])
    def test_what_a_customer_asks_for_is_told(self, asked: str) -> None:
        payload = {"shop_id": 954889, "customer": {"id": 191167, "email": "lan@example.com"}}
        told = hear(Platform.SHOPIFY, f"customers/{asked}", payload)
        assert isinstance(told, Told)
        assert (told.event.kind, told.object_id) == (asked, "191167")
        assert told.event.customer.email == "lan@example.com"

    def test_the_orders_that_are_to_be_redacted_are_told(self) -> None:
        payload = {"customer": {"email": "lan@example.com"}, "orders_to_redact": [299938, 280263]}
        told = hear(Platform.SHOPIFY, "customers/redact", payload)
        assert isinstance(told, Told)
        assert told.event.orders == ("299938", "280263")

    def test_a_shop_that_has_left_is_told(self) -> None:
        told = hear(Platform.SHOPIFY, "shop/redact", {"shop_id": 954889})
        assert isinstance(told, Told)
        assert (told.kind, told.object_id) == ("shop", "954889")
        assert told.event.type == "gateway.platform_shop_redacted"
