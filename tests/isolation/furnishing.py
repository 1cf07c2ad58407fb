"""A shop with one of everything in it, made over the public API."""

import base64
import hashlib
import hmac
import json
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from gateway.access.scopes import GRANTABLE, PUBLISHABLE, Role
from services.messaging.preferences.links import UnsubscribeLinks
from services.support_ticket.surveys.invitations import SURVEY_LINKS
from shared.ids import TenantId
from shared.security.link_tokens import LinkTarget, LinkTokens
from tests.isolation.bodies import fresh
from tests.support.waiting import eventually

Json = dict[str, Any]
PASSWORD = "mot-hai-ba-bon-nam"
ORIGIN = "https://shop.example"
"""The page that publishable keys are for."""


@dataclass
class Shop:
    """One tenant: its credentials by name, and an object of each kind."""

    tenant_id: TenantId
    marker: str
    http: httpx.AsyncClient = field(repr=False)
    credentials: dict[str, str] = field(default_factory=dict, repr=False)
    things: dict[str, str] = field(default_factory=dict)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """A request with the key that may do everything."""
        headers = {
            "authorization": f"Bearer {self.credentials['api_key']}",
            **options.pop("headers", {}),
        }
        return await self.http.request(method, path, headers=headers, **options)

    async def post(self, path: str, body: Json | None = None, **options: Any) -> Json:
        answer = await self.call("POST", path, json=body, **options)
        assert answer.is_success, f"POST {path}: {answer.status_code} {answer.text}"
        made: Json = answer.json()
        return made

    async def get(self, path: str, **query: Any) -> Json:
        answer = await self.call("GET", path, params=query)
        assert answer.is_success, f"GET {path}: {answer.status_code} {answer.text}"
        found: Json = answer.json()
        return found

    async def first(self, path: str, **query: Any) -> Json:
        """The first row of a list, once there is one."""

        async def look() -> list[Json]:
            rows: list[Json] = (await self.get(path, **query))["data"]
            return rows

        return (await eventually(look, seconds=30))[0]


async def open_shop(http: httpx.AsyncClient, *, operator_key: str, marker: str) -> Shop:
    """A shop whose every text of its own holds `marker`, with a credential of every sort."""
    slug, email = f"{marker}-shop", f"{marker}@example.com"
    owner = {"name": f"Owner {marker}", "email": email, "password": PASSWORD}
    answer = await http.post(
        "/v1/tenants",
        json={"name": f"Shop {marker}", "slug": slug, "owner": owner},
        headers={"authorization": f"Bearer {operator_key}"},
    )
    assert answer.status_code == 201, answer.text
    shop = Shop(TenantId(UUID(answer.json()["id"])), marker, http)
    shop.credentials["owner"] = shop.credentials["api_key"] = await _login(shop, email)
    spare = await shop.post("/v1/api-keys", {"name": marker, "scopes": ["customers:read"]})
    made = await shop.post("/v1/api-keys", {"name": marker, "scopes": sorted(GRANTABLE)})
    shop.credentials["api_key"], shop.things["api_key"] = made["key"], spare["id"]
    page = {"kind": "publishable", "name": marker, "scopes": sorted(PUBLISHABLE)}
    made = await shop.post("/v1/api-keys", {**page, "allowed_origins": [ORIGIN]})
    shop.credentials["publishable"] = made["key"]
    await _team(shop)
    return shop


async def _team(shop: Shop) -> None:
    """Staff of every role, of a role of the shop's own, and who see less than everything."""
    for role in Role:
        if role is not Role.OWNER:
            shop.things["other_staff"] = await _hire(shop, role.value, role=role.value)
    made = await shop.post(
        "/v1/roles",
        {"name": f"Role {shop.marker}", "scopes": sorted(GRANTABLE), "visibility": "own"},
    )
    shop.things["role"] = made["id"]
    await _hire(shop, "own", role=made["id"])
    shop.things["staff"] = await _hire(shop, "team", role="agent", visibility="team")
    made = await shop.post("/v1/teams", {"name": f"Team {shop.marker}"})
    shop.things["team"] = made["id"]
    joined = await shop.call("PUT", f"/v1/teams/{made['id']}/members/{shop.things['staff']}")
    assert joined.is_success, joined.text
    owner = {"authorization": f"Bearer {shop.credentials['owner']}"}
    await _login(shop, f"{shop.marker}@example.com")
    answer = await shop.http.get("/v1/auth/sessions", headers=owner)
    shop.things["session"] = next(s["id"] for s in answer.json()["data"] if not s["current"])


async def _hire(shop: Shop, name: str, **given: str) -> str:
    email = f"{name}-{shop.marker}@example.com"
    who = {"name": f"{name} {shop.marker}", "email": email, "password": PASSWORD}
    made = await shop.post("/v1/staff", {**who, **given})
    shop.credentials[name] = await _login(shop, email)
    staff_id: str = made["id"]
    return staff_id


async def _login(shop: Shop, email: str) -> str:
    answer = await shop.http.post("/v1/auth/login", json={"email": email, "password": PASSWORD})
    assert answer.status_code == 200, answer.text
    token: str = answer.json()["access_token"]
    return token


async def furnish(shop: Shop, admin: AsyncEngine, *, root_key: str, receiver: str) -> None:
    """Make one of everything and two of what is listed; wait for what services do by themselves."""
    await _webhooks(shop, receiver)
    makers = (
        _people,
        _rights,
        _retention,
        _files,
        _leads,
        _rewards,
        _words,
        _work,
        _diary,
        _groups,
        _platforms,
    )
    for make in makers:
        await make(shop)
    sent = await shop.first(f"/v1/webhook-endpoints/{shop.things['endpoint']}/deliveries")
    shop.things["event"] = sent["id"]
    await _links(shop, admin, root_key=root_key)


async def _webhooks(shop: Shop, receiver: str) -> None:
    for path in ("in", "other"):
        made = await shop.post(
            "/v1/webhook-endpoints", {"url": f"{receiver}/{path}", "description": shop.marker}
        )
    shop.things["endpoint"] = made["id"]


async def _people(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    things["source"], things["external_id"] = "pos", f"{marker}-external"
    things["customer_name"] = f"Nguyễn {marker}"
    # Two with the same number may be one person.
    person = {
        "name": things["customer_name"],
        "phone": "0912345678",
        "source": "pos",
        "attributes": {"size": f"Size {marker}", "colour": f"Colour {marker}"},
    }
    identity = {"source": "pos", "external_id": things["external_id"]}
    first = await shop.post(
        "/v1/customers",
        {**person, "email": f"customer-{marker}@example.com", "external_ids": [identity]},
    )
    await shop.post("/v1/customers", person)
    things["customer"], things["customer_code"] = first["id"], first["code"]
    things["duplicate"] = (await shop.first("/v1/duplicates"))["id"]
    for _ in range(2):
        twins = [await shop.post("/v1/customers", {"name": f"Twin {marker}"}) for _ in range(2)]
        path = f"/v1/customers/{twins[0]['id']}/merges"
        merge = await shop.post(path, {"customer_ids": [twins[1]["id"]], "reason": marker})
    things["merge"], things["merged_customer"] = merge["id"], twins[1]["id"]
    things["duplicate_customer"] = first["id"]
    things["duplicate_scan"] = (await shop.post("/v1/duplicates/scans", {}))["id"]
    consent = {"purpose": "marketing", "channel": "email", "status": "granted", "source": "pos"}
    for status in ("granted", "withdrawn"):
        await shop.post(
            f"/v1/customers/{first['id']}/consents",
            {**consent, "status": status, "proof": {"form": marker}},
        )
    address = {"full_address": f"{marker} Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"}
    things["address"] = (await shop.post(f"/v1/customers/{first['id']}/addresses", address))["id"]
    for n in range(2):
        identity = {"kind": "email", "value": f"other-{n}-{marker}@example.com"}
        made = await shop.post(f"/v1/customers/{first['id']}/identities", identity)
    things["identity"] = made["id"]
    person = {"name": f"Mai {marker}", "email": f"mai-{marker}@example.com"}
    things["contact"] = (await shop.post(f"/v1/customers/{first['id']}/contacts", person))["id"]
    # A size that was said before sizes were numbers is a misfit.
    for key, kind in (("colour", "text"), ("size", "number")):
        field = {"key": key, "type": kind, "label": {"vi": f"Field {marker}"}}
        things["custom_field"] = (await shop.post("/v1/custom-fields", field))["id"]
    await shop.first(f"/v1/custom-fields/{things['custom_field']}/misfits")
    total = {"amount": "9900000", "currency": "VND"}
    for _ in range(2):
        order = {"customer_id": first["id"], "source": "pos", "external_id": fresh(f"{marker}-")}
        made = await shop.post("/v1/orders", {**order, "financial_status": "paid", "total": total})
    things["order"] = made["id"]
    part = {"amount": total, "reason": marker}
    for path, body in (
        ("payments", {"amount": total, "reference": marker}),
        ("refunds", part),
        ("returns", {"reason": marker}),
        ("fulfillments", {"carrier": marker}),
    ):
        for _ in range(2):
            await shop.post(f"/v1/orders/{made['id']}/{path}", body)
    rated = await shop.call("PUT", f"/v1/orders/{made['id']}/rating", json={"rating": 4})
    assert rated.is_success, rated.text
    policy = {"auto_publish": "all"}
    assert (await shop.call("PUT", "/v1/reviews/policy", json=policy)).is_success
    for _ in range(2):
        said = {"product_id": "product", "rating": 5, "text": f"{fresh('words')} {marker}"}
        things["review"] = (await shop.post("/v1/reviews", said))["id"]
    token = await shop.post("/v1/shopper-tokens", {"customer_id": first["id"]})
    shop.credentials["shopper"] = token["token"]


async def _rights(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    customer = {"customer_id": things["customer"]}
    for version in range(2):
        words = {"key": "care", "purpose": "care", "channels": ["email"]}
        made = await shop.post("/v1/consent-texts", {**words, "text": f"Text {marker} {version}"})
        things["consent_text"] = made["id"]
        held = await shop.post("/v1/legal-holds", {**customer, "reason": f"Hold {marker}"})
        things["legal_hold"] = held["id"]
        wish = {**customer, "kind": "access", "details": f"Details {marker}"}
        asked = await shop.post("/v1/privacy-requests", wish)
        things["privacy_request"] = asked["id"]
    await shop.post(f"/v1/privacy-requests/{asked['id']}/preview")


async def _retention(shop: Shop) -> None:
    """Rules that rest, and what they would do."""
    shop.things["preset"] = "vn_pdpl"
    said = {"data": ["birth_date"], "clock": "created", "period": "P30Y"}
    for _ in range(2):
        rule = {"name": f"Rule {shop.marker}", **said}
        shop.things["retention_rule"] = (await shop.post("/v1/retention/rules", rule))["id"]
        run = await shop.post("/v1/retention/runs", {}, params={"dry_run": True})
        shop.things["retention_run"] = run["id"]


async def _files(shop: Shop) -> None:
    """Two imports that wait to be run, and one that was."""
    marker = shop.marker
    content = f"name,note\nImported {marker},Words of {marker}\n"
    for _ in range(3):
        made = await shop.post("/v1/imports", {"file_name": f"{marker}.csv"})
        path = f"/v1/imports/{made['id']}"
        sent = await shop.call("PUT", f"{path}/file", content=content)
        assert sent.is_success, sent.text
        await eventually(
            partial(shop.get, path), lambda found: found["status"] == "ready", seconds=30
        )
        if "import" not in shop.things:
            await shop.post(f"{path}/run")
        shop.things["import"] = made["id"]


async def _leads(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    words = {"vi": f"Words {marker}"}
    consent = {"purpose": "marketing", "channel": "email"}
    for _ in range(2):
        form = await shop.post(
            "/v1/lead-forms",
            {
                "name": f"Form {marker}",
                "title": words,
                "fields": [{"name": "email", "required": True}],
                "consents": [{**consent, "text": words}],
                "thank_you": words,
                "double_opt_in": True,
            },
        )
        path = f"/v1/lead-forms/{form['id']}/submissions"
        for _ in range(2):
            entered = {"email": f"{fresh('lead')}-{marker}@example.com"}
            agreed = [{**consent, "text_version": 1}]
            sent = await shop.post(path, {"entered": entered, "consents": agreed})
    things["lead_form"], things["lead_submission"] = form["id"], sent["id"]
    lead = await shop.first("/v1/leads")
    things["lead"] = lead["id"]
    for _ in range(2):
        await shop.post("/v1/touches", {"customer_id": lead["customer"]["id"]})
    things["form_token"] = form["page_url"].rpartition("/")[2]


async def _rewards(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    customer = {"customer_id": things["customer"]}
    worth = {"amount": "100", "currency": "VND"}
    programme = {"name": f"Programme {marker}", "point_value": worth, "hold_days": 0}
    answer = await shop.call("PUT", "/v1/loyalty/programme", json=programme)
    assert answer.is_success, answer.text
    rule = {"kind": "event", "event": "checked_in", "points": 5}
    things["loyalty_rule"] = (await shop.post("/v1/loyalty/rules", rule))["id"]
    tier = {"name": f"Tier {marker}", "threshold": 1_000_000_000}
    things["tier"] = (await shop.post("/v1/loyalty/tiers", tier))["id"]
    gift = {**customer, "points": 1_000_000, "note": marker}
    await shop.post("/v1/loyalty/adjustments", gift)
    spent = await shop.post("/v1/loyalty/redemptions", {**customer, "points": 5})
    things["redemption"] = spent["id"]
    terms = {"name": f"Voucher {marker}", "kind": "percent", "percent": 10, "uses_per_code": None}
    for _ in range(2):
        things["voucher"] = (await shop.post("/v1/vouchers", terms))["id"]
    path = f"/v1/vouchers/{things['voucher']}/codes"
    made = await shop.post(path, {"customer_ids": [things["customer"]]})
    things["voucher_code"] = made["data"][0]["code"]
    use = {"code": things["voucher_code"], "order_total": {"amount": "9000", "currency": "VND"}}
    things["voucher_redemption"] = (await shop.post("/v1/vouchers/redemptions", use))["id"]
    rewards = {"referrer_points": 5, "friend_points": 5}
    answer = await shop.call("PUT", "/v1/referrals/programme", json=rewards)
    assert answer.is_success, answer.text
    things["referral_code"] = (await shop.post("/v1/referrals/codes", customer))["code"]
    for _ in range(2):
        friend = await shop.post("/v1/customers", {"name": f"Friend {marker}", "source": "pos"})
        brought = {"code": things["referral_code"], "customer_id": friend["id"]}
        things["referral"] = (await shop.post("/v1/referrals", brought))["id"]


async def _words(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    things["template_key"] = f"template_{marker}"
    content = {"locale": "vi", "subject": f"Subject {marker}", "text": f"Text {marker}"}
    for key in (things["template_key"], f"another_{marker}"):
        answer = await shop.call("PUT", f"/v1/templates/{key}", json={"contents": [content]})
        assert answer.is_success, answer.text
    for _ in range(2):
        to = {"customer_id": things["customer"], "email": f"to-{marker}@example.com"}
        sent = await shop.post("/v1/messages", {"template": things["template_key"], "to": to})
        address = f"{fresh('no')}-{marker}@example.com"
        suppressed = await shop.post("/v1/suppressions", {"address": address})
        written = {"channel": "zalo", "external_id": fresh(marker), "text": f"Hello {marker}"}
        await shop.post("/v1/inbound-messages", {**written, "customer_id": things["customer"]})
    things["message"], things["suppression"] = sent["id"], suppressed["id"]
    things["suppressed_address"] = address


async def _work(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    await shop.first("/v1/queues")
    things["queue"] = (await shop.first("/v1/queues"))["id"]
    things["sla_policy"] = (await shop.first("/v1/sla-policies"))["id"]
    things["calendar"] = (await shop.first("/v1/business-calendars"))["id"]
    for _ in range(2):
        wanted = {"subject": f"Subject {marker}", "text": f"Words of {marker}", "type": "complaint"}
        requester = {"customer_id": things["customer"]}
        ticket = await shop.post("/v1/tickets", {**wanted, "requester": requester})
        path = f"/v1/tickets/{ticket['id']}"
        await shop.post(f"{path}/replies", {"text": f"Answer {marker}"})
        await shop.post(f"{path}/notes", {"text": f"Note {marker}"})
        await shop.post(f"{path}/resolution", {"kind": "answer", "reason": f"Reason {marker}"})
        task = {"customer_id": things["customer"], "title": f"Task {marker}"}
        made = await shop.post("/v1/tasks", {**task, "ticket_id": ticket["id"]})
    things["ticket"], things["ticket_code"], things["task"] = (
        ticket["id"],
        ticket["code"],
        made["id"],
    )
    things["survey"] = (await shop.first("/v1/surveys", ticket_id=ticket["id"]))["id"]


async def _diary(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    customer, staff = things["customer"], things["staff"]
    words = {"customer_id": customer, "kind": "call", "text": f"Call of {marker}"}
    # The customer service hears of new colleagues a moment later.
    shifts = f"/v1/assignment-rules/shifts/{staff}"
    at_work = {"shifts": [{"weekday": 1, "starts": "08:00", "ends": "17:00"}]}
    await eventually(
        lambda: shop.call("PUT", shifts, json=at_work), lambda told: told.is_success, seconds=30
    )
    for _ in range(2):
        spoken = await shop.post("/v1/interactions", words)
        noted = await shop.post(f"/v1/customers/{customer}/notes", {"text": f"Note {marker}"})
        meeting = {"customer_id": customer, "title": f"Meeting {marker}", "overbook": True}
        times = {"starts_at": "2027-03-01T09:00:00Z", "ends_at": "2027-03-01T10:00:00Z"}
        met = await shop.post("/v1/appointments", {**meeting, **times, "staff_id": staff})
        # Nobody comes from there: the customers of the walk stay nobody's.
        rule = {"name": f"Rule {marker}", "conditions": {"sources": ["nowhere"]}}
        ruled = await shop.post("/v1/assignment-rules", {**rule, "staff_ids": [staff]})
    to_nobody_new = {"from_owner_id": staff, "to_staff_ids": [things["other_staff"]]}
    at_other = f"/v1/assignment-rules/shifts/{things['other_staff']}"
    await eventually(
        lambda: shop.call("PUT", at_other, json=at_work), lambda told: told.is_success, seconds=30
    )
    moved = await shop.post("/v1/assignment-rules/reassignments", to_nobody_new)
    await eventually(
        partial(shop.get, f"/v1/jobs/{moved['id']}"),
        lambda found: found["status"] == "succeeded",
        seconds=30,
    )
    things["reassignment"] = moved["id"]
    things["interaction"], things["note"] = spoken["id"], noted["id"]
    things["appointment"], things["assignment_rule"] = met["id"], ruled["id"]
    word = {"key": fresh("word-"), "label": {"vi": f"Outcome {marker}"}}
    made = await shop.post("/v1/outcomes", {**word, "applies_to": ["task.message"]})
    things["outcome"] = made["id"]
    opened = await shop.call("PUT", f"/v1/appointments/calendars/{staff}")
    things["calendar_token"] = opened.json()["url"].rpartition("/")[2].removesuffix(".ics")


async def _groups(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    name = {"vi": f"Nhóm {marker}", "en": f"Group {marker}"}
    rule = {"field": "profile.orders_count", "op": "gte", "value": 1}
    for key in (f"group_{marker}", f"other_{marker}"):
        made = await shop.post("/v1/segments", {"key": key, "name": name, "rule": rule})
    things["segment"], things["segment_key"] = made["id"], made["key"]
    things["job"] = (await shop.post(f"/v1/segments/{made['id']}/rebuilds"))["job_id"]
    await shop.first(f"/v1/segments/{made['id']}/members")
    for key in (f"greet_{marker}", f"again_{marker}"):
        automation = {"key": key, "name": f"Automation {marker}", "segment_key": made["key"]}
        planned = await shop.post(
            "/v1/automations", {**automation, "template": things["template_key"]}
        )
    things["automation"] = planned["id"]


async def _platforms(shop: Shop) -> None:
    marker, things = shop.marker, shop.things
    made = await shop.post("/v1/connections", {"platform": "shopify", "name": f"Shopify {marker}"})
    things["platform"], things["connection"] = "shopify", made["id"]
    for number in range(2):
        body = json.dumps({"id": number, "email": f"hook-{marker}@example.com"}).encode()
        digest = hmac.digest(made["secret"].encode(), body, hashlib.sha256)
        answer = await shop.http.post(
            f"/v1/hooks/shopify/{made['id']}",
            content=body,
            headers={
                "content-type": "application/json",
                "x-shopify-topic": "customers/create",
                "x-shopify-webhook-id": fresh(marker),
                "x-shopify-hmac-sha256": base64.b64encode(digest).decode(),
            },
        )
        assert answer.status_code == 200, answer.text
    named = {"store": f"store{marker}", "access_token": f"token-{marker}"}
    await shop.post("/v1/connections", {"platform": "bigcommerce", **named})
    things["delivery"] = (await shop.first(f"/v1/connections/{made['id']}/deliveries"))["id"]


async def _links(shop: Shop, admin: AsyncEngine, *, root_key: str) -> None:
    survey = LinkTokens(root_key=root_key, purpose=SURVEY_LINKS)
    target = LinkTarget(shop.tenant_id, UUID(shop.things["survey"]))
    shop.things["survey_token"] = survey.mint(target)
    confirmations = LinkTokens(root_key=root_key, purpose="lead-confirmation")
    target = LinkTarget(shop.tenant_id, UUID(shop.things["lead_submission"]))
    shop.things["confirmation_token"] = confirmations.mint(target)
    links = UnsubscribeLinks(root_key=root_key, public_url="https://care.example")
    url = links.url(shop.tenant_id, UUID(shop.things["message"]))
    shop.things["unsubscribe_token"] = url.rpartition("/")[2]
    await shop.post(f"/v1/staff/{shop.things['staff']}/invitations")
    async with admin.connect() as connection:
        found = await connection.execute(
            text("SELECT id FROM gateway.password_reset WHERE tenant_id = :tenant"),
            {"tenant": shop.tenant_id},
        )
    passwords = LinkTokens(root_key=root_key, purpose="staff-password")
    shop.things["password_token"] = passwords.mint(
        LinkTarget(shop.tenant_id, found.scalars().first())
    )
