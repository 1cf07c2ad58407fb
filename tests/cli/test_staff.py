"""What an operator does about shops and their staff, on a running house."""

import json
import subprocess
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from cli.demo.shop import Shop
from cli.mail_catcher import caught
from tests.cli.supervisor import careloop
from tests.support.house import House
from tests.support.waiting import eventually

Run = Callable[..., subprocess.CompletedProcess[str]]
PASSWORD = "mot-hai-ba-bon-nam"


@pytest.fixture
def run(house: House, tmp_path) -> Run:
    """Runs a command."""

    def ran(*words: str) -> subprocess.CompletedProcess[str]:
        return careloop(*words, folder=tmp_path, environment=house.environment)

    return ran


@pytest.fixture
def told(run: Run) -> Callable[..., list[dict[str, Any]]]:
    """The rows that a command prints for machines."""

    def rows(*words: str) -> list[dict[str, Any]]:
        done = run(*words, "--json")
        assert done.returncode == 0, done.stderr
        printed: list[dict[str, Any]] = json.loads(done.stdout)
        return printed

    return rows


@pytest.fixture
async def http(house: House):
    async with httpx.AsyncClient(base_url=house.base_url, timeout=30, trust_env=False) as client:
        yield client


async def log_in(http: httpx.AsyncClient, email: str, password: str) -> httpx.Response:
    return await http.post("/v1/auth/login", json={"email": email, "password": password})


async def choose(http: httpx.AsyncClient, link: str) -> None:
    body = {"token": link.rsplit("/", 1)[1], "password": PASSWORD}
    chosen = await http.post("/v1/auth/password-resets/confirm", json=body)
    assert chosen.status_code == 204, chosen.text


async def test_a_shop_is_created_and_its_owner_gets_in(
    told, run: Run, http: httpx.AsyncClient
) -> None:
    slug, email = f"quan-{uuid4().hex[:8]}", f"{uuid4().hex[:8]}@example.com"
    words = ("--name", "Quán Nhỏ", "--owner-email", email, "--owner-name", "Nguyễn Văn Đức")
    [created] = told("tenants", "create", slug, *words)
    listed = {shop["slug"]: shop for shop in told("tenants", "list")}
    assert listed[slug]["id"] == created["id"]
    assert listed[slug]["name"] == "Quán Nhỏ"
    session = await log_in(http, email, created["password"])
    assert session.json()["staff"]["role"] == "owner"

    again = run("tenants", "create", slug, *words)
    assert (again.returncode, again.stdout) == (1, "")
    assert "Another shop has this slug" in again.stderr
    wrong = run("tenants", "create", "Not A Slug", *words)
    assert (wrong.returncode, "slug" in wrong.stderr) == (1, True)


async def test_a_member_is_added_helped_and_logged_out(
    told, run: Run, shop: Shop, http: httpx.AsyncClient
) -> None:
    email, here = f"{uuid4().hex[:8]}@example.com", ("--tenant", shop.tenant_id)
    [hired] = told("staff", "create", email, "--name", "Lan", "--role", "manager", *here)
    await choose(http, hired["link"])
    first = (await log_in(http, email, PASSWORD)).json()
    by_email = {member["email"]: member for member in told("staff", "list", *here)}
    assert (by_email[email]["role"], by_email[email]["active"]) == ("manager", True)

    [session] = told("staff", "sessions", email, *here)
    assert session["from"] == "127.0.0.1"
    assert told("staff", "revoke", email, "--session", session["id"], *here)[0]["ended"] == 1
    token = {"authorization": f"Bearer {first['access_token']}"}

    async def is_out() -> bool:
        return (await http.get("/v1/auth/me", headers=token)).status_code == 401

    await eventually(is_out)

    [reset] = told("staff", "reset-password", email, "--tenant", "sen-da")
    await choose(http, reset["link"])
    assert (await log_in(http, email, PASSWORD)).status_code == 200
    assert told("staff", "revoke", email, *here)[0]["ended"] == 1
    assert "logged in nowhere" in run("staff", "sessions", email, *here).stdout


async def test_a_link_can_be_mailed(
    told, house: House, shop: Shop, http: httpx.AsyncClient
) -> None:
    email = f"{uuid4().hex[:8]}@example.com"
    words = ("--name", "Hoa", "--tenant", shop.tenant_id, "--mail")
    [hired] = told("staff", "create", email, *words)
    assert hired["link"] == "mailed"

    async def arrived() -> list[str]:
        mails = [mail for mail in caught(house.mail.folder) if email in str(mail["To"])]
        return [
            line
            for mail in mails
            for line in str(mail.get_body().get_content()).splitlines()
            if "/pages/passwords/" in line
        ]

    [link] = await eventually(arrived, seconds=20)
    await choose(http, link.strip())
    assert (await log_in(http, email, PASSWORD)).status_code == 200


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("sessions", "nobody@example.com"), "Nobody of this shop"),
        (("create", "not an address", "--name", "X"), "email"),
        (("create", "x@example.com", "--name", "X", "--role", "king"), "role"),
        (("revoke", "nobody@example.com"), "Nobody of this shop"),
    ],
)
def test_what_is_wrong_is_said(run: Run, shop: Shop, words: tuple[str, ...], says: str) -> None:
    done = run("staff", *words, "--tenant", shop.tenant_id)
    assert (done.returncode, says in done.stderr) == (1, True), done.stderr
    assert "Traceback" not in done.stderr


def test_a_shop_that_is_not_there(run: Run) -> None:
    for shop in ("no-such-shop", str(uuid4())):
        done = run("staff", "list", "--tenant", shop)
        assert (done.returncode, f"There is no shop {shop}" in done.stderr) == (1, True)
