"""The page on which people fill in a form."""

import re
from datetime import timedelta
from html.parser import HTMLParser
from urllib.parse import urlsplit

import pytest

from shared.security.principal import PrincipalKind
from tests.customer.leads import MARKETING, Visitor, make_form, text_of, the_lead

BINH = {"name": "Trần Thị Bình", "phone": "0912 345 678"}


@pytest.fixture
async def visitor(service, shop, root_key):
    client = service.client(shop, "public:pages", kind=PrincipalKind.PUBLIC, sees_pii=False)
    async with client:
        yield Visitor(client, shop, root_key)


@pytest.fixture
async def form(client):
    return await make_form(client)


class Page(HTMLParser):
    """What a page is made of, as far as it is asked for here."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def all(self, *names: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag in names]


async def test_the_page_shows_the_form_in_the_language_of_the_visitor(visitor, form):
    shown = await visitor.open(form)
    assert shown.status_code == 200
    assert 'lang="vi"' in shown.text
    assert "Nhận tư vấn miễn phí" in shown.text
    english = await visitor.open(form, **{"accept-language": "en-GB,vi;q=0.5"})
    assert 'lang="en"' in english.text
    assert "Get free advice" in english.text
    assert "Send me offers by email" in english.text
    assert "Cỡ giày" in english.text, "what has no English is shown in Vietnamese"
    assert "Get free advice" in (await visitor.open(form, "?lang=en")).text


async def test_the_page_needs_no_script_and_nothing_from_elsewhere(visitor, form):
    shown = await visitor.open(form)
    policy = shown.headers["content-security-policy"]
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "form-action 'self'; " in policy
    assert (shown.headers["cache-control"], shown.headers["referrer-policy"]) == (
        "no-store",
        "no-referrer",
    )
    page = Page(shown.text)
    assert page.all("script", "img", "link", "iframe") == []
    assert [m["content"] for m in page.all("meta") if m.get("name") == "viewport"] == [
        "width=device-width, initial-scale=1"
    ]


async def test_every_field_has_a_label_and_nothing_is_ticked_beforehand(visitor, form):
    page = Page((await visitor.open(form)).text)
    labelled = {label["for"] for label in page.all("label")}
    fields = [f for f in page.all("input", "select", "textarea") if f.get("type") != "hidden"]
    assert {field["id"] for field in fields} == labelled
    boxes = [field for field in fields if field.get("type") == "checkbox"]
    assert boxes
    assert not any("checked" in box for box in boxes)
    assert not [field for field in fields if int(field.get("tabindex") or 0) > 0]


async def test_what_is_sent_becomes_a_lead(client, visitor, form):
    sent = await visitor.send(
        form,
        "?utm_source=zalo&utm_campaign=tet&gclid=abc&lang=en",
        **BINH,
        shoe_size="38,5",
        form__intent="wants_meeting",
        form__referrer="https://zalo.me/",
        consent__marketing__email="1",
    )
    assert sent.status_code == 200
    assert "We will call you back." in sent.text
    lead = await the_lead(client)
    assert (lead["intent"], lead["source"]) == ("wants_meeting", "zalo")
    assert lead["source_page"] == form["page_url"]
    customer = (await client.get(f"/v1/customers/{lead['customer']['id']}")).json()
    assert (customer["name"], customer["locale"]) == (BINH["name"], "en")
    assert customer["attributes"] == {"shoe_size": 38.5}
    consents = f"/v1/customers/{customer['id']}/consents"
    (consent,) = (await client.get(consents)).json()["data"]
    assert consent["proof"]["wording"] == "Send me offers by email"
    touches = f"/v1/customers/{customer['id']}/touches"
    (touch,) = (await client.get(touches)).json()["data"]
    assert (touch["campaign"], touch["click_ids"]) == ("tet", {"gclid": "abc"})
    assert touch["referrer"] == "https://zalo.me/"


async def test_the_way_here_survives_a_change_of_language(visitor, form):
    shown = await visitor.open(
        form, "?utm_source=zalo&fbclid=x&other=1", referer="https://m.facebook.com/"
    )
    assert 'href="?lang=en&amp;utm_source=zalo&amp;fbclid=x"' in shown.text
    assert 'value="https://m.facebook.com/"' in shown.text


async def test_faults_stand_beside_their_fields_and_nothing_entered_is_lost(client, visitor, form):
    refused = await visitor.send(
        form, email="bình@", message="<b>Xin chào</b>", consent__marketing__email="1"
    )
    assert refused.status_code == 422
    page = Page(refused.text)
    by_name = {f.get("name"): f for f in page.all("input", "textarea", "select")}
    for name in ("name", "email"):
        described = by_name[name]["aria-describedby"]
        assert by_name[name]["aria-invalid"] == "true"
        assert described in {p.get("id") for p in page.all("p")}
    assert [name for name, field in by_name.items() if "autofocus" in field] == ["name"]
    assert by_name["email"]["value"] == "bình@"
    assert "checked" in by_name["consent.marketing.email"]
    assert "&lt;b&gt;Xin chào&lt;/b&gt;" in refused.text
    assert "Địa chỉ email chưa đúng." in text_of(refused.text)
    assert (await client.get("/v1/leads")).json()["data"] == []


async def test_a_needed_consent_is_asked_for_beside_its_box(client, visitor):
    form = await make_form(client, consents=[{**MARKETING, "required": True}])
    refused = await visitor.send(form, **BINH)
    assert refused.status_code == 422
    assert 'id="fault-consent.marketing.email"' in refused.text
    other_words = await visitor.send(form, **BINH, consent__marketing__email="9")
    assert other_words.status_code == 422
    assert (await visitor.send(form, **BINH, consent__marketing__email="1")).status_code == 200


@pytest.mark.parametrize("age", [timedelta(hours=25), None])
async def test_a_page_that_was_open_for_too_long_is_sent_again(client, visitor, form, age):
    token = visitor.token(form, open_for=age) if age else "forged"
    refused = await visitor.send(form, token=token, **BINH)
    assert refused.status_code == 422
    assert "mở quá lâu" in refused.text
    assert 'value="Trần Thị Bình"' in refused.text
    assert (await client.get("/v1/leads")).json()["data"] == []
    renewed = re.search(r'name="form.token" value="([^"]+)"', refused.text)
    assert renewed is not None
    assert renewed[1] != token


async def test_the_token_of_another_form_is_none(client, visitor, form):
    other = await make_form(client, name="Khác")
    assert (await visitor.send(form, token=visitor.token(other), **BINH)).status_code == 422


@pytest.mark.parametrize(
    ("fields", "open_for", "suspicion"),
    [
        ({"company__website": "https://spam.example"}, timedelta(minutes=1), "honeypot"),
        ({}, timedelta(seconds=1), "too_fast"),
    ],
)
async def test_what_a_program_sends_is_thanked_for_and_kept_aside(
    client, visitor, form, fields, open_for, suspicion
):
    sent = await visitor.send(form, token=visitor.token(form, open_for=open_for), **BINH, **fields)
    assert sent.status_code == 200
    assert "Chúng tôi sẽ gọi lại." in sent.text
    assert (await client.get("/v1/leads")).json()["data"] == []
    path = f"/v1/lead-forms/{form['id']}/submissions"
    (kept,) = (await client.get(path)).json()["data"]
    assert (kept["status"], kept["suspicions"], kept["via"]) == ("suspected", [suspicion], "page")
    assert (await client.post(f"{path}/{kept['id']}/accept")).status_code == 200
    assert (await the_lead(client))["customer"]["name"] == BINH["name"]


async def test_a_second_click_is_one_lead(client, visitor, form):
    token = visitor.token(form)
    for _ in range(2):
        assert (await visitor.send(form, token=token, **BINH)).status_code == 200
    await the_lead(client)


async def test_people_are_sent_on_where_the_shop_says(client, visitor):
    form = await make_form(
        client,
        allowed_origins=["https://hoasen.example"],
        redirect_url="https://hoasen.example/cam-on",
    )
    shown = await visitor.open(form)
    assert (
        "form-action 'self' https://hoasen.example;" in (shown.headers["content-security-policy"])
    )
    sent = await visitor.send(form, "?redirect_url=https://evil.example", **BINH)
    assert (sent.status_code, sent.headers["location"]) == (303, "https://hoasen.example/cam-on")


async def test_a_closed_form_says_so_and_an_unknown_one_is_not_found(client, visitor, form):
    await client.patch(f"/v1/lead-forms/{form['id']}", json={"active": False})
    assert (await visitor.open(form)).status_code == 410
    assert (await visitor.send(form, **BINH)).status_code == 410
    path = urlsplit(form["page_url"]).path
    forged = {**form, "page_url": f"{path[:-3]}AAA"}
    assert (await visitor.open(forged)).status_code == 404
    assert (await visitor.send(forged, **BINH)).status_code == 404


async def test_the_page_of_another_shop_is_not_found(service, open_shop, form, root_key):
    tenant = await open_shop()
    scopes = ("public:pages",)
    async with service.client(tenant, *scopes, kind=PrincipalKind.PUBLIC) as client:
        stranger = Visitor(client, tenant, root_key)
        assert (await stranger.open(form)).status_code == 404


@pytest.mark.parametrize(
    "body", [b"", b"\xff\xfe=%ff&&&=", b"a=1&" * 500, b"consent.a%00.b=1&name=%00"]
)
async def test_a_body_that_makes_no_sense_is_answered_with_the_form(visitor, form, body):
    path = urlsplit(form["page_url"]).path
    answer = await visitor._client.post(path, content=body)
    assert answer.status_code == 422
    assert "<form" in answer.text
