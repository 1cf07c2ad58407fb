"""A new password by e-mail: for who forgot theirs, and for who is invited."""

import asyncio
import time
from datetime import timedelta
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI

from tests.gateway.conftest import Shop, TestClock, client_of, make_shop
from tests.gateway.staff import (
    PASSWORD,
    audited,
    hire,
    link_in,
    log_in,
    mails_to,
    member,
    staff_told,
)

FRESH = "chin-muoi-muoi-mot"


async def forget(app: FastAPI, email: str, **more: str) -> httpx.Response:
    async with client_of(app) as client:
        return await client.post("/v1/auth/password-resets", json={"email": email, **more})


async def choose(app: FastAPI, url: str, password: str = FRESH) -> httpx.Response:
    body = {"token": url.rsplit("/", 1)[1], "password": password}
    async with client_of(app) as client:
        return await client.post("/v1/auth/password-resets/confirm", json=body)


async def link_for(shop: Shop, email: str, root_key: str) -> str:
    await forget(shop.app, email, shop=shop.slug)
    return link_in((await mails_to(shop, email, count=1, root_key=root_key))[-1])


class TestForgotten:
    async def test_a_mail_brings_a_new_password_and_ends_every_session(
        self, shop: Shop, root_key: str
    ) -> None:
        lan = await member(shop)
        answer = await forget(shop.app, lan.email.upper())
        assert (answer.status_code, answer.text) == (202, "null")
        [mail] = await mails_to(shop, lan.email, count=1, root_key=root_key)
        assert (mail["kind"], mail["locale"]) == ("password_reset", "vi")
        assert "Hoa Sen" in mail["subject"]
        assert "Trần Thị Lan" in mail["text"]
        assert lan.tokens["access_token"]

        assert (await choose(shop.app, link_in(mail))).status_code == 204
        assert (await lan.client.get("/v1/auth/me")).status_code == 401
        assert (await log_in(shop.app, shop, lan.email)).status_code == 401
        assert (await log_in(shop.app, shop, lan.email, FRESH)).status_code == 200
        assert len(await audited(shop, "auth.passwordResetRequested")) == 1
        assert len(await audited(shop, "auth.passwordReset")) == 1

    async def test_the_link_travels_sealed(self, shop: Shop, root_key: str) -> None:
        lan = await hire(shop)
        await forget(shop.app, lan["email"])
        [mail] = await mails_to(shop, lan["email"], count=1, root_key=root_key)
        token = link_in(mail).rsplit("/", 1)[1]
        assert token not in str({name: told for name, told in mail.items() if name != "text"})

    async def test_a_link_works_once(self, shop: Shop, root_key: str) -> None:
        lan = await hire(shop)
        url = await link_for(shop, lan["email"], root_key)
        answers = await asyncio.gather(*(choose(shop.app, url) for _ in range(3)))
        assert sorted(answer.status_code for answer in answers) == [204, 404, 404]
        assert len(await staff_told(shop, lan["id"])) == 2

    async def test_using_one_link_spends_the_others(self, shop: Shop, root_key: str) -> None:
        lan = await hire(shop)
        for _ in range(2):
            await forget(shop.app, lan["email"])
        first, second = await mails_to(shop, lan["email"], count=2, root_key=root_key)
        assert (await choose(shop.app, link_in(second))).status_code == 204
        assert (await choose(shop.app, link_in(first))).status_code == 404

    async def test_a_link_ends_after_an_hour(
        self, shop: Shop, root_key: str, clock: TestClock
    ) -> None:
        lan = await hire(shop)
        url = await link_for(shop, lan["email"], root_key)
        clock.ahead = timedelta(hours=1, seconds=1)
        refused = await choose(shop.app, url)
        assert (refused.status_code, refused.json()["code"]) == (404, "reset_not_valid")

    async def test_a_weak_password_does_not_spend_the_link(self, shop: Shop, root_key: str) -> None:
        lan = await hire(shop)
        url = await link_for(shop, lan["email"], root_key)
        refused = await choose(shop.app, url, "password123")
        assert (refused.status_code, refused.json()["code"]) == (422, "weak_password")
        assert (await choose(shop.app, url)).status_code == 204

    async def test_who_left_gets_no_mail_and_no_way_back(self, shop: Shop, root_key: str) -> None:
        lan = await hire(shop)
        url = await link_for(shop, lan["email"], root_key)
        await shop.owner.patch(f"/v1/staff/{lan['id']}", json={"active": False})
        assert (await choose(shop.app, url)).status_code == 404
        await forget(shop.app, lan["email"])
        await shop.app.state.house.background.drain()
        await mails_to(shop, lan["email"], count=1, root_key=root_key)

    async def test_a_locked_address_is_free_again(
        self, gateway: FastAPI, shop: Shop, root_key: str
    ) -> None:
        lan = await hire(shop)
        for _ in range(5):
            await log_in(gateway, shop, lan["email"], "wrong-password")
        assert (await log_in(gateway, shop, lan["email"])).status_code == 429
        assert (await choose(gateway, await link_for(shop, lan["email"], root_key))).is_success
        assert (await log_in(gateway, shop, lan["email"], FRESH)).status_code == 200

    async def test_a_locked_address_stays_locked_while_another_shop_has_it_too(
        self, gateway: FastAPI, root_key: str
    ) -> None:
        email = f"both-{uuid4().hex[:8]}@example.com"
        home, trap = await make_shop(gateway, email=email), await make_shop(gateway, email=email)
        url = await link_for(trap, email, root_key)
        for _ in range(5):
            await log_in(gateway, home, email, "wrong-password")
        assert (await choose(gateway, url)).status_code == 204
        assert (await log_in(gateway, home, email, "wrong-password")).status_code == 429

    @pytest.mark.parametrize("change", [{"password": "mot-mat-khau-khac-han"}, {"active": False}])
    async def test_a_new_password_by_an_admin_and_being_locked_out_spend_the_links(
        self, shop: Shop, root_key: str, change: dict
    ) -> None:
        lan = await hire(shop)
        path, url = f"/v1/staff/{lan['id']}", await link_for(shop, lan["email"], root_key)
        assert (await shop.owner.patch(path, json=change)).status_code == 200
        assert (await shop.owner.patch(path, json={"active": True})).status_code == 200
        refused = await choose(shop.app, url)
        assert (refused.status_code, refused.json()["code"]) == (404, "reset_not_valid")

    @pytest.mark.parametrize("change", ["another tenant", "another id", "no seal", "nonsense"])
    async def test_a_made_up_link_is_refused(
        self, gateway: FastAPI, shop: Shop, root_key: str, change: str
    ) -> None:
        lan = await hire(shop)
        url = await link_for(shop, lan["email"], root_key)
        token = url.rsplit("/", 1)[1]
        wrong = {
            "another tenant": "A" * 10 + token[10:],
            "another id": token[:30] + ("A" if token[30] != "A" else "B") + token[31:],
            "no seal": token[:43],
            "nonsense": "x",
        }[change]
        assert (await choose(gateway, f"/{wrong}")).status_code == 404
        assert (await choose(gateway, url)).status_code == 204

    async def test_each_shop_sends_its_own_link_unless_one_is_named(
        self, gateway: FastAPI, root_key: str
    ) -> None:
        email = f"both-{uuid4().hex[:8]}@example.com"
        first, second = await make_shop(gateway, email=email), await make_shop(gateway, email=email)
        await forget(gateway, email)
        await mails_to(first, email, count=1, root_key=root_key)
        [mail] = await mails_to(second, email, count=1, root_key=root_key)
        await forget(gateway, email, shop=first.slug)
        await mails_to(first, email, count=2, root_key=root_key)
        await mails_to(second, email, count=1, root_key=root_key)
        assert (await choose(gateway, link_in(mail))).status_code == 204
        assert (await log_in(gateway, second, email, FRESH)).status_code == 200
        assert (await log_in(gateway, first, email, first.password)).status_code == 200


class TestTellingNothing:
    async def test_an_unknown_address_gets_the_same_answer_in_the_same_time(
        self, gateway: FastAPI, shop: Shop
    ) -> None:
        lan = await hire(shop)

        async def seconds(email: str) -> float:
            started = time.perf_counter()
            answer = await forget(gateway, email)
            taken = time.perf_counter() - started
            assert (answer.status_code, answer.text) == (202, "null")
            await gateway.state.house.background.drain()
            return taken

        await seconds("warm@example.com")
        known = min([await seconds(lan["email"]) for _ in range(3)])
        unknown = min([await seconds(f"{uuid4().hex}@example.com") for _ in range(3)])
        # Looking the address up and writing the link take several queries, and happen later.
        assert known < unknown * 3 + 0.005

    async def test_nobodys_mailbox_is_filled(
        self, gateway: FastAPI, shop: Shop, root_key: str
    ) -> None:
        lan = await hire(shop)
        for _ in range(20):
            assert (await forget(gateway, lan["email"])).status_code == 202
        await gateway.state.house.background.drain()
        await mails_to(shop, lan["email"], count=5, root_key=root_key)


class TestInvited:
    async def test_a_member_without_a_password_is_sent_a_link(
        self, shop: Shop, root_key: str, clock: TestClock
    ) -> None:
        lan = await hire(shop, password=None)
        [mail] = await mails_to(shop, lan["email"], count=1, root_key=root_key)
        assert mail["kind"] == "invitation"
        for guess in ("!", PASSWORD):
            assert (await log_in(shop.app, shop, lan["email"], guess)).status_code == 401
        clock.ahead = timedelta(days=6)
        assert (await choose(shop.app, link_in(mail))).status_code == 204
        assert (await log_in(shop.app, shop, lan["email"], FRESH)).status_code == 200

    async def test_another_invitation_can_be_sent(self, shop: Shop, root_key: str) -> None:
        lan = await hire(shop, password=None)
        sent = await shop.owner.post(f"/v1/staff/{lan['id']}/invitations")
        assert sent.status_code == 202
        await mails_to(shop, lan["email"], count=2, root_key=root_key)

    async def test_who_has_a_password_already_is_sent_a_link_for_an_hour(
        self, shop: Shop, root_key: str, clock: TestClock
    ) -> None:
        lan = await hire(shop)
        assert (await shop.owner.post(f"/v1/staff/{lan['id']}/invitations")).status_code == 202
        [mail] = await mails_to(shop, lan["email"], count=1, root_key=root_key)
        assert mail["kind"] == "password_reset"
        clock.ahead = timedelta(hours=1, seconds=1)
        assert (await choose(shop.app, link_in(mail))).status_code == 404


class TestPage:
    async def open(self, app: FastAPI, url: str, **options) -> httpx.Response:
        async with client_of(app) as browser:
            path = url.split("/", 3)[3]
            return await browser.get(f"/{path}", **options)

    async def fill_in(self, app: FastAPI, url: str, first: str, again: str) -> httpx.Response:
        async with client_of(app) as browser:
            form = {"password": first, "again": again}
            return await browser.post(f"/{url.split('/', 3)[3]}?lang=en", data=form)

    async def test_a_person_chooses_a_password_on_a_page_without_script(
        self, shop: Shop, root_key: str
    ) -> None:
        lan = await hire(shop)
        url = await link_for(shop, lan["email"], root_key)
        page = await self.open(shop.app, url)
        assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
        assert 'lang="vi"' in page.text
        assert lan["email"] in page.text
        assert "<script" not in page.text
        assert "default-src 'none'" in page.headers["content-security-policy"]
        assert page.headers["cache-control"] == "no-store"
        english = await self.open(shop.app, url, headers={"accept-language": "en-GB,en;q=0.9"})
        assert 'lang="en"' in english.text

        saved = await self.fill_in(shop.app, url, FRESH, FRESH)
        assert (saved.status_code, "The password is saved" in saved.text) == (200, True)
        assert (await log_in(shop.app, shop, lan["email"], FRESH)).status_code == 200
        assert (await self.open(shop.app, url)).status_code == 404

    @pytest.mark.parametrize(
        ("first", "again", "says"),
        [
            ("short", "short", "at least 10 characters"),
            (FRESH, FRESH + "x", "not the same"),
            ("password123", "password123", "would be guessed"),
            ("x" * 300, "x" * 300, "at most 200"),
            ("", "", "at least 10 characters"),
        ],
    )
    async def test_it_says_what_is_wrong(
        self, shop: Shop, root_key: str, first: str, again: str, says: str
    ) -> None:
        lan = await hire(shop)
        url = await link_for(shop, lan["email"], root_key)
        refused = await self.fill_in(shop.app, url, first, again)
        assert (refused.status_code, says in refused.text) == (422, True)
        assert 'role="alert"' in refused.text
        assert (await self.fill_in(shop.app, url, FRESH, FRESH)).status_code == 200

    @pytest.mark.parametrize("token", ["x", "A" * 64, "%00"])
    async def test_a_link_that_leads_nowhere(self, gateway: FastAPI, token: str) -> None:
        async with client_of(gateway) as browser:
            answer = await browser.get(f"/pages/passwords/{token}")
        assert answer.status_code == 404
