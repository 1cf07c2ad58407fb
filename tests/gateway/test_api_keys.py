"""API keys: bounds, rotation, last use, and those that stand in web pages."""

import asyncio
import zlib
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from gateway.access.opaque import OpaqueToken, split_opaque
from gateway.access.scopes import GRANTABLE, PUBLISHABLE
from shared.ids import TenantId, new_id
from tests.gateway.conftest import Shop, TestClock, client_of, make_shop
from tests.support.waiting import eventually

OFFICE, HOME = "198.51.100.7", "203.0.113.9"
PAGE = "https://www.hoasen.example"


async def make(shop: Shop, *scopes: str, **options: Any) -> dict[str, Any]:
    body = {"name": "test", "scopes": list(scopes or ("staff:read",)), **options}
    answer = await shop.owner.post("/v1/api-keys", json=body)
    assert answer.status_code == 201, answer.text
    made: dict[str, Any] = answer.json()
    return made


async def ask(
    app: FastAPI, key: str, path: str = "/v1/staff", *, address: str = OFFICE, **headers: str
) -> httpx.Response:
    transport = httpx.ASGITransport(app=app, client=(address, 1))
    async with httpx.AsyncClient(transport=transport, base_url="http://careloop") as client:
        return await client.get(path, headers={"authorization": f"Bearer {key}", **headers})


class TestFormat:
    def test_a_scanner_can_tell_a_key_without_asking(self) -> None:
        token = OpaqueToken.issue("cl", TenantId(new_id()))
        digits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
        text, checksum = token.text[:-6], token.text[-6:]
        value = 0
        for digit in checksum:
            value = value * 62 + digits.index(digit)
        assert value == zlib.crc32(text.encode())

    def test_what_was_mistyped_is_no_key(self) -> None:
        token = OpaqueToken.issue("clpk", TenantId(new_id()))
        assert split_opaque(token.text, prefix="clpk") is not None
        for place in (8, 50, 60, len(token.text) - 1):
            other = "0" if token.text[place] != "0" else "1"
            mistyped = token.text[:place] + other + token.text[place + 1 :]
            assert split_opaque(mistyped, prefix="clpk") is None

    async def test_what_a_key_is_shows_in_its_text(self, shop: Shop) -> None:
        secret = await make(shop)
        published = await make(shop, "inbound:write", kind="publishable", allowed_origins=[PAGE])
        assert secret["key"].startswith("cl_")
        assert published["key"].startswith("clpk_")
        assert (secret["kind"], published["kind"]) == ("secret", "publishable")

    async def test_a_key_under_the_name_of_the_other_kind_is_refused(self, shop: Shop) -> None:
        token = OpaqueToken.parse((await make(shop))["key"], prefix="cl")
        assert token is not None
        disguised = OpaqueToken("clpk", token.tenant_id, token.id, token.secret).text
        assert (await ask(shop.app, disguised)).status_code == 401


class TestBounds:
    async def test_a_key_bound_to_places_works_from_there_only(self, shop: Shop) -> None:
        key = await make(shop, allowed_ips=["198.51.100.0/24", "2001:db8::/32"])
        assert (await ask(shop.app, key["key"], address=OFFICE)).status_code == 200
        assert (await ask(shop.app, key["key"], address="2001:db8::17")).status_code == 200
        assert (await ask(shop.app, key["key"], address="::ffff:198.51.100.9")).status_code == 200
        for elsewhere in (HOME, "2001:db9::1", "a unix socket"):
            refused = await ask(shop.app, key["key"], address=elsewhere)
            assert (refused.status_code, refused.json()["code"]) == (403, "address_not_allowed")

    async def test_a_lie_about_the_address_does_not_help(self, shop: Shop) -> None:
        key = await make(shop, allowed_ips=[OFFICE])
        lie = {"x-forwarded-for": OFFICE, "forwarded": f"for={OFFICE}"}
        assert (await ask(shop.app, key["key"], address=HOME, **lie)).status_code == 403

    async def test_networks_are_kept_in_one_spelling(self, shop: Shop) -> None:
        given = ["198.51.100.7", "2001:DB8:0::/48", "::ffff:10.0.0.0/104", "198.51.100.7/32"]
        key = await make(shop, allowed_ips=given)
        assert key["allowed_ips"] == ["198.51.100.7/32", "2001:db8::/48", "10.0.0.0/8"]

    @pytest.mark.parametrize("network", ["10.0.0.1/8", "nonsense", "1.2.3", "", "10.0.0.0/33"])
    async def test_what_is_no_network_is_named(self, shop: Shop, network: str) -> None:
        body = {"name": "x", "scopes": ["staff:read"], "allowed_ips": ["10.0.0.1", network]}
        answer = await shop.owner.post("/v1/api-keys", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/allowed_ips/1"

    async def test_a_key_may_have_a_limit_of_its_own(self, shop: Shop) -> None:
        key = await make(shop, rate_limit={"requests": 2, "seconds": 3600})
        statuses = [(await ask(shop.app, key["key"])).status_code for _ in range(3)]
        assert statuses == [200, 200, 429]
        path = f"/v1/api-keys/{key['id']}"
        lifted = await shop.owner.patch(path, json={"rate_limit": None})
        assert lifted.json()["rate_limit"] is None
        assert (await ask(shop.app, key["key"])).status_code == 200

    async def test_an_expiry_lies_in_the_future(self, shop: Shop, clock: TestClock) -> None:
        past = (clock.now() - timedelta(seconds=1)).isoformat()
        body = {"name": "x", "scopes": ["staff:read"], "expires_at": past}
        answer = await shop.owner.post("/v1/api-keys", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/expires_at"


class TestChanges:
    async def test_what_may_change_changes_and_the_rest_stays(
        self, shop: Shop, clock: TestClock
    ) -> None:
        key = await make(shop, allowed_ips=[OFFICE])
        path = f"/v1/api-keys/{key['id']}"
        soon = clock.now() + timedelta(hours=1)
        change = {"name": "Till", "allowed_ips": [HOME], "expires_at": soon.isoformat()}
        answer = await shop.owner.patch(path, json=change)
        assert answer.status_code == 200, answer.text
        assert answer.headers["etag"] == '"2"'
        read = (await shop.owner.get(path)).json()
        assert read == answer.json()
        assert (read["name"], read["allowed_ips"]) == ("Till", [f"{HOME}/32"])
        assert datetime.fromisoformat(read["expires_at"]) == soon
        assert read["scopes"] == key["scopes"]
        assert (await ask(shop.app, key["key"], address=OFFICE)).status_code == 403
        assert (await ask(shop.app, key["key"], address=HOME)).status_code == 200

    async def test_a_stale_change_is_refused(self, shop: Shop) -> None:
        path = f"/v1/api-keys/{(await make(shop))['id']}"
        stale = {"if-match": '"1"'}
        first = await shop.owner.patch(path, json={"name": "A"}, headers=stale)
        second = await shop.owner.patch(path, json={"name": "B"}, headers=stale)
        assert (first.status_code, second.status_code) == (200, 412)

    @pytest.mark.parametrize(
        ("change", "pointer"),
        [
            ({"name": None}, "/body/name"),
            ({"allowed_ips": None}, "/body/allowed_ips"),
            ({"scopes": ["staff:write"]}, "/body/scopes"),
            ({"kind": "publishable"}, "/body/kind"),
            ({"allowed_origins": [PAGE]}, "/body/allowed_origins"),
            ({"rate_limit": {"requests": 0, "seconds": 1}}, "/body/rate_limit/requests"),
        ],
    )
    async def test_what_cannot_be_is_named(self, shop: Shop, change: dict, pointer: str) -> None:
        path = f"/v1/api-keys/{(await make(shop))['id']}"
        answer = await shop.owner.patch(path, json=change)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == pointer

    async def test_a_revoked_key_stays_as_it_is(self, shop: Shop) -> None:
        path = f"/v1/api-keys/{(await make(shop))['id']}"
        await shop.owner.delete(path)
        assert (await shop.owner.get(path)).json()["revoked_at"] is not None
        for answer in (
            await shop.owner.patch(path, json={"name": "x"}),
            await shop.owner.post(f"{path}/rotations", json={}),
        ):
            assert (answer.status_code, answer.json()["code"]) == (409, "api_key_revoked")

    async def test_nobody_touches_a_key_that_can_do_more(self, shop: Shop) -> None:
        mighty = await make(shop, "staff:write", "api_keys:write")
        path = f"/v1/api-keys/{mighty['id']}"
        async with await shop.client("api_keys:write", "api_keys:read") as small:
            taken_over = await small.post(f"{path}/rotations", json={})
            changed = await small.patch(path, json={"name": "mine"})
            revoked = await small.delete(path)
        assert (taken_over.status_code, taken_over.json()["scopes"]) == (403, ["staff:write"])
        assert changed.status_code == 403
        # Taking rights away is another matter: who finds a leaked key can end it.
        assert revoked.status_code == 204

    async def test_another_shop_finds_nothing(self, gateway: FastAPI, shop: Shop) -> None:
        path = f"/v1/api-keys/{(await make(shop))['id']}"
        other = await make_shop(gateway)
        for answer in (
            await other.owner.get(path),
            await other.owner.patch(path, json={"name": "x"}),
            await other.owner.post(f"{path}/rotations", json={}),
            await other.owner.delete(path),
        ):
            assert (answer.status_code, answer.json()["code"]) == (404, "api_key_not_found")


class TestRotation:
    async def test_both_secrets_work_until_the_overlap_ends(
        self, shop: Shop, clock: TestClock
    ) -> None:
        key = await make(shop)
        path = f"/v1/api-keys/{key['id']}/rotations"
        answer = await shop.owner.post(path, json={"overlap_seconds": 600})
        assert answer.status_code == 201
        assert answer.headers["cache-control"] == "no-store"
        rotated = answer.json()
        assert (rotated["id"], rotated["version"]) == (key["id"], 2)
        assert rotated["key"] != key["key"]
        assert rotated["hint"] != key["hint"]
        for secret in (key["key"], rotated["key"]):
            assert (await ask(shop.app, secret)).status_code == 200
        clock.ahead = timedelta(seconds=601)
        assert (await ask(shop.app, key["key"])).status_code == 401
        assert (await ask(shop.app, rotated["key"])).status_code == 200

    async def test_only_two_secrets_are_good_at_a_time(self, shop: Shop) -> None:
        key = await make(shop)
        path = f"/v1/api-keys/{key['id']}/rotations"
        second = (await shop.owner.post(path, json={})).json()["key"]
        third = (await shop.owner.post(path, json={})).json()["key"]
        statuses = [(await ask(shop.app, s)).status_code for s in (key["key"], second, third)]
        assert statuses == [401, 200, 200]

    async def test_without_overlap_the_old_secret_ends_at_once(self, shop: Shop) -> None:
        key = await make(shop)
        assert (await ask(shop.app, key["key"])).status_code == 200
        path = f"/v1/api-keys/{key['id']}/rotations"
        fresh = (await shop.owner.post(path, json={"overlap_seconds": 0})).json()["key"]
        assert (await ask(shop.app, key["key"])).status_code == 401
        assert (await ask(shop.app, fresh)).status_code == 200

    async def test_at_another_node_the_new_secret_is_good_at_once(
        self, shop: Shop, other_node: FastAPI
    ) -> None:
        key = await make(shop)
        assert (await ask(other_node, key["key"])).status_code == 200
        path = f"/v1/api-keys/{key['id']}/rotations"
        fresh = (await shop.owner.post(path, json={"overlap_seconds": 600})).json()["key"]
        for secret in (fresh, key["key"], fresh):
            assert (await ask(other_node, secret)).status_code == 200

    async def test_revoking_ends_both(self, shop: Shop) -> None:
        key = await make(shop)
        path = f"/v1/api-keys/{key['id']}"
        fresh = (await shop.owner.post(f"{path}/rotations", json={})).json()["key"]
        await shop.owner.delete(path)
        for secret in (key["key"], fresh):
            assert (await ask(shop.app, secret)).status_code == 401

    async def test_a_repeated_rotation_is_one(self, shop: Shop) -> None:
        key = await make(shop)
        path = f"/v1/api-keys/{key['id']}/rotations"
        once = {"idempotency-key": uuid4().hex}
        first = await shop.owner.post(path, json={}, headers=once)
        again = await shop.owner.post(path, json={}, headers=once)
        assert first.json() == again.json()
        assert (await ask(shop.app, key["key"])).status_code == 200

    async def test_of_two_rotations_at_once_the_later_counts(self, shop: Shop) -> None:
        key = await make(shop)
        path = f"/v1/api-keys/{key['id']}/rotations"
        answers = await asyncio.gather(*(shop.owner.post(path, json={}) for _ in range(2)))
        both = [answer.json()["key"] for answer in answers]
        # One is the secret of now, the other the one before it: both work, the first does not.
        assert [(await ask(shop.app, secret)).status_code for secret in both] == [200, 200]
        assert (await ask(shop.app, key["key"])).status_code == 401


class TestLastUse:
    async def last_use(self, shop: Shop, key_id: str) -> tuple[str | None, str | None]:
        read = (await shop.owner.get(f"/v1/api-keys/{key_id}")).json()
        return read["last_used_at"], read["last_used_ip"]

    async def test_it_is_told_when_and_from_where(self, shop: Shop, clock: TestClock) -> None:
        key = await make(shop)
        assert await self.last_use(shop, key["id"]) == (None, None)
        before = clock.now()
        await ask(shop.app, key["key"], address=HOME)
        at, ip = await eventually(lambda: self.last_use(shop, key["id"]), lambda use: use[0])
        assert before <= datetime.fromisoformat(at) <= clock.now()
        assert ip == HOME

    async def test_it_is_written_once_a_minute(self, shop: Shop, clock: TestClock) -> None:
        key = await make(shop)
        await ask(shop.app, key["key"], address=HOME)
        first, _ = await eventually(lambda: self.last_use(shop, key["id"]), lambda use: use[0])
        clock.ahead = timedelta(seconds=50)
        await ask(shop.app, key["key"], address=OFFICE)
        assert shop.app.state.house.key_usage._writing is None
        clock.ahead = timedelta(seconds=65)
        await ask(shop.app, key["key"], address=OFFICE)
        later, ip = await eventually(
            lambda: self.last_use(shop, key["id"]), lambda use: use[0] != first
        )
        assert later > first
        assert ip == OFFICE

    async def test_a_refused_use_is_none(self, shop: Shop) -> None:
        key = await make(shop, allowed_ips=[OFFICE])
        await ask(shop.app, key["key"], address=HOME)
        await ask(shop.app, key["key"][:-1] + "!")
        assert shop.app.state.house.key_usage._writing is None

    async def test_it_changes_no_version(self, shop: Shop) -> None:
        key = await make(shop)
        await ask(shop.app, key["key"])
        await eventually(lambda: self.last_use(shop, key["id"]), lambda use: use[0])
        path = f"/v1/api-keys/{key['id']}"
        answer = await shop.owner.patch(path, json={"name": "x"}, headers={"if-match": '"1"'})
        assert answer.status_code == 200


def published(**changes: Any) -> dict[str, Any]:
    return {"kind": "publishable", "allowed_origins": [PAGE], **changes}


class TestPublishableKeys:
    def test_they_can_send_in_and_read_nothing(self) -> None:
        assert PUBLISHABLE <= GRANTABLE
        reading = [scope for scope in PUBLISHABLE if not scope.endswith(":write")]
        assert reading == ["published_reviews:read"]
        assert not [s for s in PUBLISHABLE if s.split(":")[0] in ("staff", "customers", "api_keys")]

    @pytest.mark.parametrize("scope", sorted(GRANTABLE - PUBLISHABLE))
    async def test_no_other_scope_can_be_published(self, shop: Shop, scope: str) -> None:
        body = {"name": "x", "scopes": ["inbound:write", scope], **published()}
        answer = await shop.owner.post("/v1/api-keys", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/scopes/1"

    @pytest.mark.parametrize(
        "origin",
        [
            "*",
            "null",
            "https://hoasen.example/",
            "https://hoasen.example/page",
            "http://hoasen.example",
            "https://*.hoasen.example",
            "https://Hoasen.example",
            "javascript:alert(1)",
            "https://a\nb",
        ],
    )
    async def test_an_origin_is_one_page_host(self, shop: Shop, origin: str) -> None:
        body = {
            "name": "x",
            "scopes": ["inbound:write"],
            **published(allowed_origins=[PAGE, origin]),
        }
        answer = await shop.owner.post("/v1/api-keys", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/allowed_origins/1"

    async def test_they_need_an_origin_and_secret_keys_have_none(self, shop: Shop) -> None:
        for options in (published(allowed_origins=[]), {"allowed_origins": [PAGE]}):
            body = {"name": "x", "scopes": ["inbound:write"], **options}
            answer = await shop.owner.post("/v1/api-keys", json=body)
            assert answer.status_code == 422
            assert answer.json()["errors"][0]["pointer"] == "/body/allowed_origins"

    async def test_it_works_from_its_pages_only(self, shop: Shop) -> None:
        key = (await make(shop, "inbound:write", **published()))["key"]
        path = "/v1/inbound-messages"
        answer = await ask(shop.app, key, path, origin=PAGE)
        assert answer.status_code == 200
        assert answer.json()["scopes"] == ["inbound:write"]
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert answer.headers["vary"] == "Origin"
        assert "RateLimit" in answer.headers["access-control-expose-headers"]
        assert "access-control-allow-credentials" not in answer.headers
        for origin in ("https://evil.example", f"{PAGE}.evil.example", "null", PAGE.upper()):
            refused = await ask(shop.app, key, path, origin=origin)
            assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")
            assert "access-control-allow-origin" not in refused.headers
        assert (await ask(shop.app, key, path)).status_code == 403

    async def test_a_page_can_read_why_it_is_refused(self, shop: Shop) -> None:
        limit = {"requests": 1, "seconds": 3600}
        key = (await make(shop, "inbound:write", **published(rate_limit=limit)))["key"]
        for _ in range(2):
            answer = await ask(shop.app, key, "/v1/inbound-messages", origin=PAGE)
        assert answer.status_code == 429
        assert answer.headers["access-control-allow-origin"] == PAGE

    async def test_the_default_port_is_not_part_of_an_origin(self, shop: Shop) -> None:
        origins = [f"{PAGE}:443", "http://localhost:3000", "http://127.0.0.1:80"]
        key = await make(shop, "inbound:write", **published(allowed_origins=origins))
        assert key["allowed_origins"] == [PAGE, "http://localhost:3000", "http://127.0.0.1"]

    async def test_its_pages_can_change(self, shop: Shop) -> None:
        key = await make(shop, "inbound:write", **published())
        path = f"/v1/api-keys/{key['id']}"
        other = "https://shop.hoasen.example"
        await shop.owner.patch(path, json={"allowed_origins": [other]})
        inbound = "/v1/inbound-messages"
        assert (await ask(shop.app, key["key"], inbound, origin=PAGE)).status_code == 403
        assert (await ask(shop.app, key["key"], inbound, origin=other)).status_code == 200
        emptied = await shop.owner.patch(path, json={"allowed_origins": []})
        assert emptied.status_code == 422

    async def test_each_visitor_has_a_limit(self, shop: Shop) -> None:
        key = (await make(shop, "inbound:write", **published()))["key"]
        answer = await ask(shop.app, key, "/v1/inbound-messages", origin=PAGE)
        assert '"address";q=' in answer.headers["ratelimit-policy"]


class TestCrossOrigin:
    def preflight(self, **changes: str) -> dict[str, str]:
        return {
            "origin": PAGE,
            "access-control-request-method": "POST",
            "access-control-request-headers": "authorization,content-type",
            **changes,
        }

    async def test_a_browser_may_ask(self, anybody: httpx.AsyncClient) -> None:
        answer = await anybody.options("/v1/inbound-messages", headers=self.preflight())
        assert answer.status_code == 204
        assert answer.headers["access-control-allow-origin"] == PAGE
        assert "POST" in answer.headers["access-control-allow-methods"]
        assert "Authorization" in answer.headers["access-control-allow-headers"]
        assert "Origin" in answer.headers["vary"]
        assert "access-control-allow-credentials" not in answer.headers
        assert answer.headers["x-content-type-options"] == "nosniff"

    async def test_other_credentials_get_no_word_of_it(self, shop: Shop) -> None:
        key = (await make(shop))["key"]
        async with await shop.client("shopper_tokens:write") as backend:
            body = {"customer_id": str(uuid4())}
            shopper = (await backend.post("/v1/shopper-tokens", json=body)).json()["token"]
        for credential, path in (
            (key, "/v1/staff"),
            (shop.access_token, "/v1/staff"),
            (shopper, "/v1/tickets"),
        ):
            answer = await ask(shop.app, credential, path, origin=PAGE)
            assert answer.status_code == 200
            assert not [h for h in answer.headers if h.startswith("access-control-")]

    async def test_what_only_looks_like_a_preflight_is_refused(
        self, anybody: httpx.AsyncClient
    ) -> None:
        answer = await anybody.options("/v1/customers", headers={"origin": PAGE})
        assert answer.status_code == 401
        hooks = await anybody.options(f"/v1/hooks/shopify/{uuid4()}", headers=self.preflight())
        assert hooks.status_code == 405
        assert "access-control-allow-origin" not in hooks.headers


class TestShopperTokens:
    async def mint(self, shop: Shop, **body: Any) -> httpx.Response:
        async with await shop.client("shopper_tokens:write") as backend:
            return await backend.post(
                "/v1/shopper-tokens", json={"customer_id": str(uuid4()), **body}
            )

    @pytest.mark.parametrize("ttl", [59, 24 * 3600 + 1, 0, -1, "soon"])
    async def test_its_life_is_bounded(self, shop: Shop, ttl: object) -> None:
        answer = await self.mint(shop, ttl=ttl)
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"] == "/body/ttl"

    async def test_it_opens_nothing_but_what_is_meant_for_shoppers(self, shop: Shop) -> None:
        token = (await self.mint(shop)).json()["token"]
        async with client_of(shop.app, token) as shopper:
            for path in ("/v1/staff", "/v1/api-keys", "/v1/connections", "/v1/roles", "/v1/teams"):
                assert (await shopper.get(path)).status_code == 403, path
            minted = await shopper.post("/v1/shopper-tokens", json={"customer_id": str(uuid4())})
        assert minted.status_code == 403

    async def test_it_cannot_be_passed_off_as_a_member_of_staff(self, shop: Shop) -> None:
        token = (await self.mint(shop)).json()["token"]
        head, body, seal = token.split(".")
        _, staff_body, _ = shop.access_token.split(".")
        other_seal = ("B" if seal[0] == "A" else "A") + seal[1:]
        for forged in (f"{head}.{staff_body}.{seal}", f"{head}.{body}.{other_seal}"):
            assert (await ask(shop.app, forged)).status_code == 401

    async def test_it_ends_with_the_key_that_made_it(self, shop: Shop, clock: TestClock) -> None:
        key = await make(shop, "shopper_tokens:write")
        async with client_of(shop.app, key["key"]) as backend:
            body = {"customer_id": str(uuid4())}
            token = (await backend.post("/v1/shopper-tokens", json=body)).json()["token"]
        path = f"/v1/api-keys/{key['id']}"
        assert (await ask(shop.app, token, "/v1/tickets")).status_code == 200
        await shop.owner.post(f"{path}/rotations", json={"overlap_seconds": 0})
        assert (await ask(shop.app, token, "/v1/tickets")).status_code == 200
        await shop.owner.delete(path)
        assert (await ask(shop.app, token, "/v1/tickets")).status_code == 401

    async def test_what_one_process_revoked_the_others_refuse_within_five_seconds(
        self, shop: Shop, clock: TestClock
    ) -> None:
        token = (await self.mint(shop)).json()["token"]
        assert (await ask(shop.app, token, "/v1/tickets")).status_code == 200
        async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
            await uow.execute(
                text("UPDATE gateway.api_key SET revoked_at = now() WHERE tenant_id = :t"),
                {"t": shop.tenant_id},
            )
            await uow.commit()
        clock.ahead = timedelta(seconds=5)
        assert (await ask(shop.app, token, "/v1/tickets")).status_code == 401

    async def test_staff_mint_none(self, shop: Shop) -> None:
        async with shop.owner as owner:
            answer = await owner.post("/v1/shopper-tokens", json={"customer_id": str(uuid4())})
        assert (answer.status_code, answer.json()["code"]) == (403, "api_key_required")
