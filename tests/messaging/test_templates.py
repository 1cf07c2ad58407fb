"""Templates over the API: written, previewed, and stopping a send when they cannot be filled."""

from typing import Any

import httpx
import pytest

from services.messaging.templates.defaults import default_templates
from shared.contracts.audit import AuditRecorded
from shared.contracts.gateway import TenantProvisioned, TenantState
from shared.ids import new_id
from shared.security.principal import PrincipalKind, Visibility
from tests.messaging.world import World
from tests.support.smtp import SmtpSink, part

HELLO = {
    "description": "Says hello",
    "contents": [
        {
            "locale": "vi",
            "subject": "Chào {{ customer.name }}",
            "text": "Mã giảm giá: {{ voucher.code }}",
            "html": "<p>Mã giảm giá: <b>{{ voucher.code }}</b></p>",
        },
        {"locale": "en", "subject": "Hello {{ customer.name }}", "text": "{{ voucher.code }}"},
    ],
}

WHO = {"locale": "en", "subject": "{{ customer.name }} {{ customer.email }}", "text": "x"}
PLAIN = {"locale": "en", "subject": "{{ shop.name }}", "text": "x"}


async def send(client: httpx.AsyncClient, to: dict[str, Any], **more: Any) -> dict[str, Any]:
    response = await client.post("/v1/messages", json={"template": "hello", "to": to, **more})
    assert response.status_code == 201, response.text
    sent: dict[str, Any] = response.json()
    return sent


@pytest.mark.capability(76)
async def test_a_template_is_written_previewed_and_blocks_the_send_when_a_variable_is_missing(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    written = await client.put("/v1/templates/hello", json=HELLO)
    assert written.status_code == 200, written.text
    duc = await shop.customer()
    asked = {"customer_id": str(duc.customer_id), "variables": {"voucher": {"code": "TET<2026>"}}}

    vietnamese = (await client.post("/v1/templates/hello/preview", json=asked)).json()
    assert vietnamese["subject"] == "Chào Nguyễn Văn Đức"
    assert vietnamese["text"] == "Mã giảm giá: TET<2026>"
    assert vietnamese["html"] == "<p>Mã giảm giá: <b>TET&lt;2026&gt;</b></p>"
    english = await client.post("/v1/templates/hello/preview", json={**asked, "locale": "en"})
    assert english.json()["subject"] == "Hello Nguyễn Văn Đức"
    assert english.json()["html"] is None

    missing = await client.post("/v1/templates/hello/preview", json={})
    assert missing.status_code == 422
    assert missing.json()["code"] == "template_variable_missing"
    assert missing.json()["errors"][0]["pointer"] == "/body/variables/customer/name"

    message = await send(client, {"customer_id": str(duc.customer_id)})
    await shop.sends()
    after = (await client.get(f"/v1/messages/{message['id']}")).json()
    assert (after["status"], after["reason"]) == ("failed", "TEMPLATE_VARIABLE_MISSING")
    assert after["detail"] == "voucher.code is missing"
    assert smtp.to(duc.email) == []


async def test_a_preview_for_a_customer_is_a_read_of_their_data(
    shop: World, client: httpx.AsyncClient
):
    duc = await shop.customer()
    asked = {"content": WHO, "customer_id": str(duc.customer_id)}
    shown = await client.post("/v1/templates/draft/preview", json=asked)
    assert shown.json()["subject"] == f"Nguyễn Văn Đức {duc.email}"
    nobody = await client.post("/v1/templates/draft/preview", json={"content": PLAIN})
    assert nobody.status_code == 200

    events = await shop.told(AuditRecorded.type)
    (record,) = [r for event in events for r in event["records"] if r["kind"] == "read"]
    assert record["action"] == "templates.preview"
    assert record["actor_id"] == "test"
    assert record["subjects"] == [{"object": "customer", "id": str(duc.customer_id)}]


async def test_a_preview_for_a_customer_is_for_those_who_may_see_every_customer(shop: World):
    duc = await shop.customer()
    asked = {"content": WHO, "customer_id": str(duc.customer_id)}
    blind = shop.service.client(shop.tenant, "templates:read", sees_pii=False)
    narrow = shop.service.client(
        shop.tenant,
        "templates:read",
        kind=PrincipalKind.STAFF,
        actor_id=str(new_id()),
        visibility=Visibility.TEAM,
    )
    async with blind, narrow:
        masked = await blind.post("/v1/templates/draft/preview", json=asked)
        assert (masked.status_code, masked.json()["missing_scopes"]) == (403, ["pii:read"])
        unseen = await narrow.post("/v1/templates/draft/preview", json=asked)
        assert (unseen.status_code, unseen.json()["code"]) == (403, "forbidden")
        for client in (blind, narrow):
            plain = await client.post("/v1/templates/draft/preview", json={"content": PLAIN})
            assert plain.status_code == 200


async def test_a_preview_sends_nothing_and_plans_nothing(shop: World, client: httpx.AsyncClient):
    response = await client.post(
        "/v1/templates/survey_invitation/preview",
        json={
            "variables": {
                "ticket": {"code": "T-1", "subject": "x"},
                "survey": {"url": "https://x.vn"},
            }
        },
    )
    assert response.status_code == 200
    assert "T-1" in response.json()["subject"]
    assert await shop.messages() == []


async def test_a_draft_can_be_previewed_before_it_is_kept(client: httpx.AsyncClient):
    draft = {"locale": "en", "subject": "Draft for {{ shop.name }}", "text": "x"}
    response = await client.post("/v1/templates/not_there/preview", json={"content": draft})
    assert response.json()["subject"] == "Draft for Cửa hàng Hoa Mai"
    assert (await client.get("/v1/templates/not_there")).status_code == 404


async def test_the_subject_stays_one_line_whatever_the_variables_hold(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    await client.put("/v1/templates/hello", json=HELLO)
    evil = await shop.customer(name="An\r\nBcc: victim@example.com\u2028\x1b\r\n\r\nBody")
    await send(
        client,
        {"customer_id": str(evil.customer_id)},
        variables={"voucher": {"code": "1"}},
    )
    await shop.sends()

    (mail,) = smtp.to(evil.email)
    assert mail["Subject"] == "Chào An Bcc: victim@example.com Body"
    assert mail["Bcc"] is None
    assert mail["Cc"] is None
    assert smtp.to("victim@example.com") == []


async def test_text_only_templates_make_text_only_mails(
    shop: World, client: httpx.AsyncClient, smtp: SmtpSink
):
    await client.put("/v1/templates/hello", json=HELLO)
    to = {"email": "plain@example.com", "name": "An", "locale": "en-US"}
    await send(client, to, variables={"voucher": {"code": "X1"}})
    await shop.sends()

    (mail,) = smtp.to("plain@example.com")
    assert mail.get_content_type() == "text/plain"
    assert part(mail, "plain").strip() == "X1"


async def test_the_language_falls_back_to_the_shops(open_shop, smtp: SmtpSink):
    english_shop = await open_shop(smtp, locale="en", name="Small Books")
    guest = await english_shop.customer(name="Mai", locale=None)
    other = await english_shop.customer(name="Kim", locale="ko")
    await english_shop.enters(guest, other)
    await english_shop.sends()

    for customer in (guest, other):
        (mail,) = smtp.to(customer.email)
        assert mail["Subject"].startswith("Thank you")


async def test_replacing_a_template_counts_its_versions(client: httpx.AsyncClient):
    first = await client.put("/v1/templates/hello", json=HELLO)
    second = await client.put(
        "/v1/templates/hello", json=HELLO, headers={"If-Match": first.headers["ETag"]}
    )
    stale = await client.put(
        "/v1/templates/hello", json=HELLO, headers={"If-Match": first.headers["ETag"]}
    )
    assert (first.json()["version"], second.json()["version"]) == (1, 2)
    assert stale.status_code == 412
    assert (await client.get("/v1/templates/hello")).headers["ETag"] == '"2"'


async def test_a_template_that_cannot_be_parsed_is_refused_with_the_part_at_fault(
    client: httpx.AsyncClient,
):
    broken = {
        "contents": [
            HELLO["contents"][0],
            {"locale": "en", "subject": "{{ x", "text": "fine", "html": "{% if %}"},
        ]
    }
    response = await client.put("/v1/templates/hello", json=broken)
    assert (response.status_code, response.json()["code"]) == (422, "template_not_valid")
    pointers = [fault["pointer"] for fault in response.json()["errors"]]
    assert pointers == ["/body/contents/1/subject", "/body/contents/1/html"]


@pytest.mark.parametrize(
    ("key", "body"),
    [
        ("Not-A-Key", HELLO),
        ("hello", {"contents": []}),
        ("hello", {"contents": [HELLO["contents"][1]] * 2}),
        ("hello", {"contents": [{"locale": "vi", "subject": "a\nb", "text": "x"}]}),
        ("hello", {"contents": [{"locale": "vi", "subject": "a", "text": "x" * 50_001}]}),
        ("hello", {**HELLO, "unknown": 1}),
    ],
)
async def test_a_malformed_template_is_refused(
    client: httpx.AsyncClient, key: str, body: dict[str, Any]
):
    assert (await client.put(f"/v1/templates/{key}", json=body)).status_code == 422


async def test_a_new_shop_has_the_default_templates_in_both_languages(client: httpx.AsyncClient):
    listed = (await client.get("/v1/templates")).json()
    assert [t["key"] for t in listed["data"]] == [
        "survey_invitation",
        "thank_you_first_order",
        "ticket_reply",
    ]
    assert all([c["locale"] for c in t["contents"]] == ["vi", "en"] for t in listed["data"])


async def test_templates_are_paged_by_key(client: httpx.AsyncClient):
    seen: list[str] = []
    cursor = None
    while True:
        params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
        page = (await client.get("/v1/templates", params=params)).json()
        seen += [template["key"] for template in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
    assert seen == sorted(template.key for template in default_templates(None))


async def test_a_shop_that_is_provisioned_again_keeps_its_own_words(
    shop: World, client: httpx.AsyncClient
):
    await client.put("/v1/templates/ticket_reply", json=HELLO)
    state = {"name": "Tên mới", "slug": shop.tenant.hex, "version": 2}
    await shop.hears("gateway", (shop.tenant, TenantProvisioned(tenant=TenantState(**state))))
    assert (await client.get("/v1/templates/ticket_reply")).json()["description"] == "Says hello"
    draft = {"locale": "vi", "subject": "{{ shop.name }}", "text": "x"}
    preview = await client.post("/v1/templates/x/preview", json={"content": draft})
    assert preview.json()["subject"] == "Tên mới"


async def test_another_shops_template_is_not_there(open_shop, client: httpx.AsyncClient):
    await client.put("/v1/templates/hello", json=HELLO)
    other = await open_shop()
    async with other.client() as theirs:
        assert (await theirs.get("/v1/templates/hello")).status_code == 404


async def test_reading_and_writing_templates_need_their_scopes(shop: World):
    async with shop.client("templates:read") as reader:
        assert (await reader.get("/v1/templates")).status_code == 200
        assert (await reader.put("/v1/templates/hello", json=HELLO)).status_code == 403


@pytest.mark.parametrize(
    "variables",
    [
        {"a": {"b": {"c": {"d": {"e": {"f": {"g": 1}}}}}}},
        {"a": "x\x00y"},
        {"a": list(range(2000))},
        {"a": "x" * 60_000},
    ],
)
async def test_unreasonable_variables_are_refused(
    client: httpx.AsyncClient, variables: dict[str, Any]
):
    body = {"template": "ticket_reply", "to": {"email": "a@example.com"}, "variables": variables}
    assert (await client.post("/v1/messages", json=body)).status_code == 422
