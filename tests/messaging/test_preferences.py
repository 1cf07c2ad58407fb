"""Saying stop: by one click of the mail program, by the page's button, by the shop's staff."""

import re

import httpx
import pytest

from shared.ids import TenantId, new_id
from shared.security.link_tokens import LinkTarget, LinkTokens
from tests.messaging.world import World, consent, recipient
from tests.support.smtp import SmtpSink

ONE_CLICK = {"List-Unsubscribe": "One-Click"}


async def thanked(shop: World, smtp: SmtpSink, **values):
    """A customer who got a promotional mail, and the path of the link in its header."""
    customer = await shop.customer(**values)
    await shop.enters(customer)
    await shop.sends()
    (mail,) = smtp.to(customer.email)
    link = mail["List-Unsubscribe"].strip("<>")
    return customer, link.removeprefix("https://care.example.com")


@pytest.mark.capability(89)
async def test_one_click_unsubscribes_without_login_and_get_only_shows_the_page(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    customer, path = await thanked(shop, smtp)

    async with shop.visitor() as visitor:
        page = await visitor.get(path)
        assert page.status_code == 200
        assert page.headers["content-type"] == "text/html; charset=utf-8"
        assert '<form method="post">' in page.text
        assert (await client.get("/v1/suppressions")).json()["data"] == []
        assert await shop.told("messaging.recipient_unsubscribed") == []

        first = await visitor.post(path, data=ONE_CLICK)
        second = await visitor.post(path, data=ONE_CLICK)
    assert (first.status_code, second.status_code) == (200, 200)

    (found,) = (await client.get("/v1/suppressions")).json()["data"]
    assert (found["address"], found["scope"]) == (customer.email, "marketing")
    assert (found["reason"], found["source"]) == ("unsubscribed", "one_click")
    (told,) = await shop.told("messaging.recipient_unsubscribed")
    assert told["customer_id"] == str(customer.customer_id)
    assert (told["channel"], told["address"], told["purpose"]) == (
        "email",
        customer.email,
        "marketing",
    )
    assert told["key"] == customer.customer_id


async def test_one_click_as_multipart_works_as_well(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    _, path = await thanked(shop, smtp)
    async with shop.visitor() as visitor:
        parts = {"List-Unsubscribe": (None, "One-Click")}
        assert (await visitor.post(path, files=parts)).status_code == 200
    (found,) = (await client.get("/v1/suppressions")).json()["data"]
    assert found["source"] == "one_click"


@pytest.mark.parametrize("body", [b"", b"confirm=1", b"\xff\xfe", b"--broken\r\n"])
async def test_the_link_is_enough_whatever_the_body_says(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink, body: bytes
):
    _, path = await thanked(shop, smtp)
    async with shop.visitor() as visitor:
        response = await visitor.post(
            path, content=body, headers={"content-type": "multipart/form-data; boundary=x"}
        )
    assert response.status_code == 200
    (found,) = (await client.get("/v1/suppressions")).json()["data"]
    assert found["source"] == "page"


async def test_stop_holds_for_what_is_already_planned(shop: World, smtp: SmtpSink):
    customer, path = await thanked(shop, smtp)
    async with shop.client() as client:
        body = {
            "template": "thank_you_first_order",
            "to": {"customer_id": str(customer.customer_id)},
            "message_class": "care",
        }
        planned = (await client.post("/v1/messages", json=body)).json()
        async with shop.visitor() as visitor:
            await visitor.post(path, data=ONE_CLICK)
        await shop.sends()
        after = (await client.get(f"/v1/messages/{planned['id']}")).json()
    assert (after["status"], after["reason"]) == ("suppressed", "UNSUBSCRIBED")
    decision = await shop.decision_on(after)
    assert decision["steps"][0]["evidence"]["reason"] == "unsubscribed"
    assert len(smtp.to(customer.email)) == 1


async def test_who_unsubscribed_still_gets_answers(shop: World, smtp: SmtpSink):
    customer, path = await thanked(shop, smtp)
    async with shop.visitor() as visitor:
        await visitor.post(path, data=ONE_CLICK)
    await shop.replies(shop.ticket(customer), recipient(customer), "Xin chào")
    await shop.sends()
    assert len(smtp.to(customer.email)) == 2


@pytest.mark.parametrize(
    ("wish", "locale", "words"),
    [
        ("en-US,en;q=0.9", "vi", "Unsubscribe?"),
        ("vi", "en", "Hủy đăng ký nhận thư?"),
        ("ko, fr", "en", "Unsubscribe?"),
        ("", "vi", "Hủy đăng ký nhận thư?"),
    ],
)
async def test_the_page_speaks_the_visitors_language(
    shop: World, smtp: SmtpSink, wish: str, locale: str, words: str
):
    _, path = await thanked(shop, smtp, locale=locale)
    async with shop.visitor(**{"accept-language": wish}) as visitor:
        page = await visitor.get(path)
    assert words in page.text
    assert f'<html lang="{page.headers["content-language"]}">' in page.text


async def test_the_page_needs_no_script_and_tells_little_to_whoever_found_the_link(
    shop: World, smtp: SmtpSink
):
    customer, path = await thanked(shop, smtp)
    async with shop.visitor() as visitor:
        before = await visitor.get(path)
        after = await visitor.post(path, data={"confirm": "1"})
    for page in (before, after):
        assert "<script" not in page.text
        assert customer.email not in page.text
        assert "du***@example.com" in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["referrer-policy"] == "no-referrer"
        assert page.headers["cache-control"] == "no-store"
        assert len(re.findall(r"<h1>", page.text)) == 1
    assert "<form" not in after.text
    assert 'role="status"' in after.text


async def test_a_shops_name_cannot_put_markup_into_the_page(open_shop, smtp: SmtpSink):
    shop = await open_shop(smtp, name="<script>alert(1)</script>")
    _, path = await thanked(shop, smtp)
    async with shop.visitor() as visitor:
        assert "<script" not in (await visitor.get(path)).text


async def test_forged_altered_and_foreign_links_are_not_found(
    shop: World, open_shop, smtp: SmtpSink, root_key: str
):
    _, path = await thanked(shop, smtp)
    other = await open_shop(smtp)
    tokens = LinkTokens(root_key=root_key, purpose="unsubscribe")
    survey = LinkTokens(root_key=root_key, purpose="survey")
    unknown = LinkTarget(TenantId(shop.tenant), new_id())
    bad = [
        path[:-3] + ("A" if path[-3] != "A" else "B") + path[-2:],
        "/pages/unsubscribe/not-a-token",
        "/pages/unsubscribe/" + tokens.mint(unknown),
        "/pages/unsubscribe/" + survey.mint(unknown),
    ]
    async with shop.visitor() as visitor, other.visitor() as elsewhere:
        for each in bad:
            assert (await visitor.get(each)).status_code == 404
            assert (await visitor.post(each, data=ONE_CLICK)).status_code == 404
        assert (await elsewhere.post(path, data=ONE_CLICK)).status_code == 404
    assert await shop.told("messaging.recipient_unsubscribed") == []


async def test_staff_can_suppress_an_address_and_lift_it_again(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    customer = await shop.customer()
    body = {"address": customer.email.upper(), "scope": "all", "reason": "complaint"}
    created = await client.post("/v1/suppressions", json=body)
    again = await client.post("/v1/suppressions", json=body)
    assert created.status_code == 201
    assert again.json()["id"] == created.json()["id"]
    assert created.json()["customer_id"] == str(customer.customer_id)
    assert created.json()["source"] == "api_key:test"

    found = await client.get("/v1/suppressions", params={"address": customer.email})
    assert [s["id"] for s in found.json()["data"]] == [created.json()["id"]]
    await shop.enters(customer)
    await shop.sends()
    assert (await shop.message_to(customer))["reason"] == "SUPPRESSED_ADDRESS"

    path = f"/v1/suppressions/{created.json()['id']}"
    assert (await client.delete(path)).status_code == 204
    assert (await client.delete(path)).status_code == 404
    body = {
        "template": "thank_you_first_order",
        "to": {"customer_id": str(customer.customer_id)},
        "message_class": "care",
    }
    await client.post("/v1/messages", json=body)
    await shop.sends()
    assert len(smtp.to(customer.email)) == 1


async def test_only_who_may_see_addresses_asks_for_one(shop: World, client: httpx.AsyncClient):
    await client.post("/v1/suppressions", json={"address": "an@example.com"})
    async with shop.service.client(shop.tenant, "suppressions:read", sees_pii=False) as blind:
        asked = await blind.get("/v1/suppressions", params={"address": "an@example.com"})
        assert (asked.status_code, asked.json()["missing_scopes"]) == (403, ["pii:read"])
        (listed,) = (await blind.get("/v1/suppressions")).json()["data"]
    assert listed["address"] == "a***@example.com"


async def test_suppressions_are_paged_newest_first(client: httpx.AsyncClient):
    for number in range(5):
        await client.post("/v1/suppressions", json={"address": f"a{number}@example.com"})
    first = (await client.get("/v1/suppressions", params={"limit": 3})).json()
    params = {"limit": 3, "cursor": first["next_cursor"]}
    second = (await client.get("/v1/suppressions", params=params)).json()
    addresses = [s["address"] for s in first["data"] + second["data"]]
    assert addresses == [f"a{number}@example.com" for number in range(4, -1, -1)]
    assert second["next_cursor"] is None


async def test_who_says_stop_is_heard_though_staff_had_stopped_already(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    customer, path = await thanked(shop, smtp)
    await client.post("/v1/suppressions", json={"address": customer.email})
    async with shop.visitor() as visitor:
        assert "<form" in (await visitor.get(path)).text
        await visitor.post(path, data=ONE_CLICK)
    found = (await client.get("/v1/suppressions", params={"address": customer.email})).json()
    assert {s["reason"] for s in found["data"]} == {"manual", "unsubscribed"}
    assert len(await shop.told("messaging.recipient_unsubscribed")) == 1


async def test_a_second_stop_holds_against_the_yes_between_them(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    customer, path = await thanked(shop, smtp)
    async with shop.visitor() as visitor:
        await visitor.post(path, data=ONE_CLICK)
        assert "<form" not in (await visitor.get(path)).text
        shop.clock.advance(seconds=5)
        agreed = (consent(shop.clock.now()),)
        await shop.changes(customer, consents=agreed)
        shop.clock.advance(seconds=5)
        assert "<form" in (await visitor.get(path)).text
        assert (await visitor.post(path, data=ONE_CLICK)).status_code == 200
        assert (await visitor.post(path, data=ONE_CLICK)).status_code == 200
        assert "<form" not in (await visitor.get(path)).text
    told = await shop.told("messaging.recipient_unsubscribed")
    assert [each["at"] > agreed[0].changed_at.isoformat() for each in told] == [False, True]
    (found,) = (await client.get("/v1/suppressions")).json()["data"]
    assert found["created_at"][:19] == shop.clock.now().isoformat()[:19]
