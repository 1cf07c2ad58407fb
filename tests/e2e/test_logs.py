"""No secret and nobody's address in any line of any process, at the most talkative level."""

import json
import re
from pathlib import Path

import httpx

from cli.demo.client import Api, until
from cli.demo.payloads import Shopper, shopify_order_created
from cli.demo.shop import open_shop
from cli.ports import free_port
from shared.ids import new_id
from shared.observability.redaction import HIDDEN
from tests.support.house import running_house
from tests.support.waiting import eventually

SMTP_PASSWORD = "mat-khau-smtp-4711"
TYPED_PASSWORD = "typed-wrong-4711"
NOTE = "Khách dặn giao trước cổng số 4711"
EMAIL_ADDRESS, PHONE = "thu.huong.4711@example.com", "+84912004711"


async def test_no_process_tells_a_secret(
    database_url: str,
    redis_url: str,
    root_key: str,
    tmp_path: Path,
):
    with running_house(
        "all_in_one",
        database_url=database_url,
        redis_url=redis_url,
        root_key=root_key,
        folder=tmp_path,
        more={"CARELOOP_LOG_LEVEL": "debug", "CARELOOP_ACCESS_LOG": "true"},
    ) as house:
        async with httpx.AsyncClient(base_url=house.base_url, timeout=30) as http:
            slug = f"logs-{new_id().hex[-10:]}"
            shop = await open_shop(http, operator_key=house.operator_key, name="Sen", slug=slug)
            api = Api(http, shop.api_key)
            await until(lambda: api.get("/v1/queues"), lambda page: page["data"], what="queues")
            login = {"email": shop.owner_email, "password": shop.owner_password}
            session = (await http.post("/v1/auth/login", json=login)).json()
            secrets = {
                "API key": shop.api_key,
                "owner's password": shop.owner_password,
                "owner's address": shop.owner_email,
                "access token": session["access_token"],
                "refresh token": session["refresh_token"],
                "operator key": house.operator_key,
                "root key": root_key,
                "platform secret": shop.connection("shopify").secret,
                "SMTP password": SMTP_PASSWORD,
                "a password somebody mistyped": TYPED_PASSWORD,
                "customer's address": EMAIL_ADDRESS,
                "customer's phone": PHONE,
                "note": NOTE,
            }
            await provoke(http, api, shop, session)

            async def written() -> str:
                return house.logs()

            await eventually(written, lambda text: "request_answered" in text)
    told = house.logs()
    assert {name for name, secret in secrets.items() if secret in told} == set()
    lines = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert len(lines) > 20
    assert HIDDEN in told, "nothing was hidden: then nothing was tried"
    assert not re.search(r"[\w.]+@example\.com", told)
    assert any(line.get("status") == 401 for line in lines)
    assert any(line.get("status") == 422 for line in lines)


async def provoke(http: httpx.AsyncClient, api: Api, shop, session) -> None:
    """Everything that goes wrong with a secret in hand, and some that goes right."""
    headers = {"Authorization": f"Bearer {shop.api_key}"}
    await http.post("/v1/auth/login", json={"email": EMAIL_ADDRESS, "password": TYPED_PASSWORD})
    await http.post("/v1/auth/login", content=f'{{"password": "{TYPED_PASSWORD}"')
    await http.post("/v1/auth/refresh", json={"refresh_token": session["refresh_token"]})
    await http.post("/v1/auth/refresh", json={"refresh_token": session["refresh_token"]})
    wrong = shop.api_key[:-3] + "xyz"
    await http.get("/v1/customers", headers={"Authorization": f"Bearer {wrong}"})
    await http.get("/v1/customers", headers={"Authorization": f"Bearer {session['access_token']}x"})
    await http.get(f"/v1/customers?q={EMAIL_ADDRESS}&api_key={shop.api_key}")
    person = {"name": "Thu Hương", "email": EMAIL_ADDRESS, "phone": PHONE}
    await http.post("/v1/customers", json=person, headers=headers)
    path = f"/v1/customers/by-external-id/pos/{EMAIL_ADDRESS}"
    await http.get(path, headers=headers)
    await http.post("/v1/customers", json={"email": EMAIL_ADDRESS, "x": PHONE}, headers=headers)
    await http.post("/v1/orders", json={"customer_id": NOTE}, headers=headers)
    await http.post("/v1/orders", content=b'{"note": "' + NOTE.encode() + b"\x00", headers=headers)
    # A mailbox that nobody answers at, and a message that wants to leave through it.
    mailbox = {
        "kind": "email",
        "host": "127.0.0.1",
        "port": free_port(),
        "security": "none",
        "sender_name": "Sen",
        "sender_address": "cskh@sen.example.com",
        "username": "sen",
        "password": SMTP_PASSWORD,
    }
    await http.post("/v1/connections", json=mailbox, headers=headers)
    connection = shop.connection("shopify")
    shopper = Shopper(email=EMAIL_ADDRESS, shopify_id=4711)
    order = shopify_order_created(shopper, connection.secret, order_id=4711)
    hook = f"/v1/hooks/shopify/{connection.id}"
    await http.post(hook, content=order.body, headers=order.headers)
    await http.post(hook, content=order.body + b" ", headers=order.headers)
    await until(
        lambda: api.get("/v1/messages"),
        lambda page: any(message["reason"] for message in page["data"]),
        what="a message that could not leave",
        seconds=30,
    )
