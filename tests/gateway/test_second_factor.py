"""Logging in with a code as well."""

import asyncio
import base64
import hashlib
import hmac
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs, unquote, urlsplit
from uuid import UUID

import httpx
import pytest
from fastapi import FastAPI
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text

from gateway.second_factor.codes import (
    matching_step,
    new_recovery_codes,
    new_secret,
    recovery_digest,
)
from gateway.second_factor.verifying import CodeVerifier, Means
from shared.db.unit_of_work import UnitOfWork
from tests.gateway.conftest import Shop, TestClock, client_of
from tests.gateway.staff import PASSWORD, Member, audited, hire, log_in, member, sign_in

NOW = datetime.fromisoformat("2026-11-21T10:00:15+00:00")


def totp(secret: str, at: datetime) -> str:
    """RFC 6238 with RFC 4226's truncation, written down again: what an app computes."""
    step = int(at.timestamp()) // 30
    tag = hmac.digest(base64.b32decode(secret), step.to_bytes(8, "big"), hashlib.sha1)
    start = tag[-1] & 0xF
    number = int.from_bytes(tag[start : start + 4], "big") & 0x7FFFFFFF
    return f"{number % 10**6:06}"


@dataclass
class App:
    """An authenticator app on somebody's phone."""

    member: Member
    secret: str
    clock: TestClock
    recovery_codes: list[str]

    def code(self) -> str:
        return totp(self.secret, self.clock.now())

    def next_code(self) -> str:
        """A code that was not shown before."""
        self.clock.ahead += timedelta(seconds=30)
        return self.code()


async def set_up(someone: Member, clock: TestClock) -> App:
    """Somebody has set up their app."""
    enrolled = await someone.client.post("/v1/auth/second-factor", json={"password": PASSWORD})
    assert enrolled.status_code == 201, enrolled.text
    app = App(someone, enrolled.json()["secret"], clock, [])
    confirmed = await someone.client.post(
        "/v1/auth/second-factor/confirm", json={"code": app.code()}
    )
    assert confirmed.status_code == 200, confirmed.text
    app.recovery_codes = confirmed.json()["codes"]
    return app


async def challenge(shop: Shop, someone: Member) -> str:
    """The token for the second step."""
    answer = await log_in(shop.app, shop, someone.email)
    assert (answer.status_code, answer.json()["code"]) == (401, "second_factor_required")
    return answer.json()["challenge_token"]


async def finish(app: FastAPI, token: str, code: str) -> httpx.Response:
    body = {"challenge_token": token, "code": code}
    async with client_of(app) as client:
        return await client.post("/v1/auth/login/second-factor", json=body)


@pytest.fixture
async def lan(shop: Shop, clock: TestClock) -> App:
    """Lan, who logs in with a code."""
    return await set_up(await member(shop, role="admin"), clock)


class TestCodes:
    @given(st.integers(0, 2**33), st.integers(-200, 200))
    def test_codes_of_a_step_around_now_are_taken_and_no_others(self, epoch: int, off: int) -> None:
        secret = base64.b32encode(b"12345678901234567890").decode()
        shown = datetime.fromtimestamp(epoch + 300, tz=NOW.tzinfo)
        now = shown + timedelta(seconds=off)
        step = matching_step(secret, totp(secret, shown), at=now, after=None)
        difference = int(shown.timestamp()) // 30 - int(now.timestamp()) // 30
        if abs(difference) <= 1:
            assert step is not None
        else:
            # Two steps may have one code, which happens once in a million times.
            assert step is None or totp(secret, shown) in {
                totp(secret, now + timedelta(seconds=30 * n)) for n in (-1, 0, 1)
            }

    def test_the_reference_values_of_the_rfc_are_met(self) -> None:
        secret = base64.b32encode(b"12345678901234567890").decode()
        for epoch, code in ((59, "287082"), (1111111109, "081804"), (20000000000, "353130")):
            at = datetime.fromtimestamp(epoch, tz=NOW.tzinfo)
            assert matching_step(secret, code, at=at, after=None) == epoch // 30

    def test_a_step_that_was_used_is_not_taken_again(self) -> None:
        secret = new_secret()
        step = matching_step(secret, totp(secret, NOW), at=NOW, after=None)
        assert step is not None
        assert matching_step(secret, totp(secret, NOW), at=NOW, after=step) is None
        assert matching_step(secret, totp(secret, NOW), at=NOW, after=step - 1) == step

    def test_recovery_codes_differ_and_may_be_typed_carelessly(self) -> None:
        codes = new_recovery_codes()
        assert len(set(codes)) == 10
        typed = f" {codes[0].upper().replace('-', ' ')} "
        assert recovery_digest(typed) == recovery_digest(codes[0])
        assert recovery_digest(codes[0]) != recovery_digest(codes[1])


class TestSettingUp:
    async def test_nothing_changes_before_a_code_proved_it(self, shop: Shop) -> None:
        someone = await member(shop)
        enrolled = await someone.client.post("/v1/auth/second-factor", json={"password": PASSWORD})
        uri = urlsplit(enrolled.json()["uri"])
        assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
        assert unquote(uri.path) == f"/Hoa Sen:{someone.email}"
        assert parse_qs(uri.query)["secret"] == [enrolled.json()["secret"]]
        assert enrolled.headers["cache-control"] == "no-store"
        assert (await log_in(shop.app, shop, someone.email)).status_code == 200
        wrong = await someone.client.post("/v1/auth/second-factor/confirm", json={"code": "000000"})
        assert (wrong.status_code, wrong.json()["code"]) == (422, "code_not_valid")
        state = (await someone.client.get("/v1/auth/second-factor")).json()
        assert (state["enabled"], state["recovery_codes_left"]) == (False, 0)

    async def test_afterwards_logging_in_takes_two_steps(self, shop: Shop, lan: App) -> None:
        state = (await lan.member.client.get("/v1/auth/second-factor")).json()
        assert (state["enabled"], state["recovery_codes_left"]) == (True, 10)
        token = await challenge(shop, lan.member)
        opened = await finish(shop.app, token, lan.next_code())
        assert opened.status_code == 200
        again = Member(shop.app, lan.member.id, lan.member.email, opened.json())
        assert (await again.me())["staff"]["second_factor"] is True
        assert (await audited(shop, "auth.login"))[-1]["detail"]["by"] == "app"

    async def test_only_with_the_password(self, shop: Shop) -> None:
        someone = await member(shop)
        refused = await someone.client.post("/v1/auth/second-factor", json={"password": "no"})
        assert (refused.status_code, refused.json()["code"]) == (422, "password_not_right")

    async def test_one_at_a_time(self, lan: App) -> None:
        client = lan.member.client
        refused = await client.post("/v1/auth/second-factor", json={"password": PASSWORD})
        assert (refused.status_code, refused.json()["code"]) == (409, "second_factor_exists")

    async def test_the_secret_lies_sealed(self, shop: Shop, lan: App) -> None:
        async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
            rows = await uow.rows(
                text(
                    "SELECT to_jsonb(f)::text FROM gateway.second_factor f WHERE tenant_id = :t "
                    "UNION ALL "
                    "SELECT to_jsonb(r)::text FROM gateway.recovery_code r WHERE tenant_id = :t "
                    "UNION ALL SELECT data::text FROM gateway.outbox WHERE tenant_id = :t"
                ),
                {"t": shop.tenant_id},
            )
        stored = "".join(row[0] for row in rows)
        for secret in (lan.secret, *lan.recovery_codes):
            assert secret not in stored
            assert secret.replace("-", "") not in stored


class TestSecondStep:
    async def test_a_code_is_good_once(self, shop: Shop, lan: App) -> None:
        code = lan.next_code()
        assert (await finish(shop.app, await challenge(shop, lan.member), code)).status_code == 200
        replayed = await finish(shop.app, await challenge(shop, lan.member), code)
        assert (replayed.status_code, replayed.json()["code"]) == (401, "challenge_refused")

    async def test_of_two_with_one_code_at_once_one_gets_in(self, shop: Shop, lan: App) -> None:
        token, code = await challenge(shop, lan.member), lan.next_code()
        answers = await asyncio.gather(*(finish(shop.app, token, code) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [200, 401, 401]

    async def test_the_code_that_confirmed_opens_nothing(self, shop: Shop, lan: App) -> None:
        token = await challenge(shop, lan.member)
        assert (await finish(shop.app, token, lan.code())).status_code == 401

    async def test_a_recovery_code_is_good_once(self, shop: Shop, lan: App) -> None:
        code = lan.recovery_codes[3].upper().replace("-", " ")
        assert (await finish(shop.app, await challenge(shop, lan.member), code)).status_code == 200
        again = await finish(shop.app, await challenge(shop, lan.member), code)
        assert again.status_code == 401
        state = (await lan.member.client.get("/v1/auth/second-factor")).json()
        assert state["recovery_codes_left"] == 9

    async def test_a_challenge_ends(self, shop: Shop, lan: App, clock: TestClock) -> None:
        token = await challenge(shop, lan.member)
        clock.ahead += timedelta(minutes=5, seconds=1)
        assert (await finish(shop.app, token, lan.code())).status_code == 401

    async def test_a_challenge_does_not_outlive_the_password(self, shop: Shop, lan: App) -> None:
        token = await challenge(shop, lan.member)
        change = {"password": "mot-mat-khau-khac-han"}
        await shop.owner.patch(f"/v1/staff/{lan.member.id}", json=change)
        assert (await finish(shop.app, token, lan.next_code())).status_code == 401

    @pytest.mark.parametrize("token", ["x", "a.b.c"])
    async def test_nonsense_is_refused(self, shop: Shop, token: str) -> None:
        refused = await finish(shop.app, token, "123456")
        assert (refused.status_code, refused.json()["code"]) == (401, "challenge_refused")

    async def test_a_challenge_is_no_access_token_nor_the_other_way(
        self, shop: Shop, lan: App
    ) -> None:
        async with client_of(shop.app, await challenge(shop, lan.member)) as client:
            assert (await client.get("/v1/auth/me")).status_code == 401
        mistaken = await finish(shop.app, lan.member.tokens["access_token"], lan.next_code())
        assert mistaken.status_code == 401

    async def test_guessing_codes_is_slowed_down(
        self, shop: Shop, lan: App, clock: TestClock
    ) -> None:
        token = await challenge(shop, lan.member)
        for _ in range(5):
            assert (await finish(shop.app, token, "000000")).status_code == 401
        slowed = await finish(shop.app, token, lan.recovery_codes[0])
        assert (slowed.status_code, slowed.json()["code"]) == (429, "too_many_logins")
        clock.ahead += timedelta(seconds=int(slowed.headers["retry-after"]))
        assert (await finish(shop.app, token, lan.recovery_codes[0])).status_code == 200


class TestGivingUp:
    async def test_by_password_and_code(self, shop: Shop, lan: App) -> None:
        client = lan.member.client
        path = "/v1/auth/second-factor/disable"
        proof = {"password": PASSWORD, "code": lan.next_code()}
        for wrong in ({"password": "no"}, {"code": "000000"}):
            assert (await client.post(path, json={**proof, **wrong})).status_code == 422
        assert (await client.post(path, json=proof)).status_code == 204
        assert (await log_in(shop.app, shop, lan.member.email)).status_code == 200
        assert len(await audited(shop, "auth.secondFactorDisabled")) == 1
        again = await client.post(path, json={**proof, "code": lan.next_code()})
        assert (again.status_code, again.json()["code"]) == (409, "no_second_factor")

    async def test_new_recovery_codes_replace_the_old(self, shop: Shop, lan: App) -> None:
        proof = {"password": PASSWORD, "code": lan.next_code()}
        path = "/v1/auth/second-factor/recovery-codes"
        fresh = (await lan.member.client.post(path, json=proof)).json()["codes"]
        assert not set(fresh) & set(lan.recovery_codes)
        token = await challenge(shop, lan.member)
        assert (await finish(shop.app, token, lan.recovery_codes[0])).status_code == 401
        assert (await finish(shop.app, token, fresh[0])).status_code == 200

    async def test_an_owner_helps_who_has_lost_the_phone(self, shop: Shop, lan: App) -> None:
        path = f"/v1/staff/{lan.member.id}/second-factor"
        assert (await shop.owner.delete(path)).status_code == 204
        assert (await lan.member.client.get("/v1/auth/me")).status_code == 401
        assert (await log_in(shop.app, shop, lan.member.email)).status_code == 200
        again = await shop.owner.delete(path)
        assert (again.status_code, again.json()["code"]) == (409, "no_second_factor")

    async def test_an_admin_takes_it_from_no_owner(self, shop: Shop, lan: App) -> None:
        owner = (await shop.owner.get("/v1/auth/me")).json()["staff"]
        refused = await lan.member.client.delete(f"/v1/staff/{owner['id']}/second-factor")
        assert (refused.status_code, refused.json()["code"]) == (403, "role_not_grantable")


class TestRequiring:
    async def test_who_needs_one_can_do_nothing_but_set_it_up(
        self, shop: Shop, clock: TestClock
    ) -> None:
        admin, agent = await member(shop, role="admin"), await member(shop, role="agent")
        change = {"second_factor_for": ["admin"]}
        assert (await shop.owner.patch("/v1/settings/staff", json=change)).status_code == 200
        clock.ahead = timedelta(seconds=4)
        assert (await admin.client.get("/v1/staff")).status_code == 403
        assert (await admin.me())["scopes"] == []
        assert (await agent.client.get("/v1/staff")).status_code == 200
        assert (await admin.client.get("/v1/auth/second-factor")).json()["required"] is True
        fresh = await log_in(shop.app, shop, admin.email)
        assert fresh.json()["second_factor_required"] is True

        await set_up(admin, clock)
        assert (await admin.client.get("/v1/staff")).status_code == 200

    async def test_a_role_of_the_shops_own_can_need_one(self, shop: Shop, clock: TestClock) -> None:
        role = (await shop.owner.post("/v1/roles", json={"name": "Kế toán", "scopes": []})).json()
        change = {"second_factor_for": [role["id"]]}
        assert (await shop.owner.patch("/v1/settings/staff", json=change)).status_code == 200
        hired = await hire(shop, role=role["id"])
        signed_in = await sign_in(shop.app, shop, hired)
        assert signed_in.tokens["second_factor_required"] is True


async def test_a_login_that_waits_for_its_code_survives_no_new_password(
    shop: Shop, lan: App
) -> None:
    """The change comes when the code was taken, and the session not opened yet."""
    house = shop.app.state.house
    changing: list[asyncio.Task[httpx.Response]] = []

    class Interrupted(CodeVerifier):
        async def take(self, uow: UnitOfWork, staff_id: UUID, code: str) -> Means | None:
            means = await super().take(uow, staff_id, code)
            change = shop.owner.patch(
                f"/v1/staff/{staff_id}", json={"password": "mot-mat-khau-khac-han"}
            )
            changing.append(asyncio.create_task(change))
            await asyncio.wait(changing, timeout=1)
            return means

    shop.app.state.house = replace(house, code_verifier=Interrupted(house.box))
    try:
        opened = await finish(shop.app, await challenge(shop, lan.member), lan.next_code())
    finally:
        shop.app.state.house = house
    assert (await changing[0]).status_code == 200
    async with client_of(shop.app, opened.json().get("access_token")) as client:
        assert (await client.get("/v1/auth/me")).status_code == 401
