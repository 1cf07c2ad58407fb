"""Platforms and channels: what is told once, what is sealed, who hears of it."""

from collections.abc import AsyncIterator
from uuid import uuid4

import httpx
import pytest
from fastapi import FastAPI
from sqlalchemy import text

from shared.security.keys import SecretBox
from tests.gateway.conftest import Shop, make_shop
from tests.gateway.test_access import told

MAILBOX = {
    "kind": "email",
    "host": "smtp.example.com",
    "port": 587,
    "security": "starttls",
    "sender_name": "Hoa Sen",
    "sender_address": "care@example.com",
    "username": "care",
    "password": "s3cret-of-smtp",
}


@pytest.fixture
async def owner(shop: Shop) -> AsyncIterator[httpx.AsyncClient]:
    async with shop.owner as client:
        yield client


async def test_a_platforms_secret_is_told_once(owner: httpx.AsyncClient, shop: Shop) -> None:
    created = await owner.post("/v1/connections", json={"platform": "shopify"})
    assert created.status_code == 201
    body = created.json()
    assert len(body["secret"]) >= 32
    assert body["hook_url"].endswith(f"/v1/hooks/shopify/{body['id']}")
    read = await owner.get(f"/v1/connections/{body['id']}")
    assert read.headers["etag"] == '"1"'
    for answer in (read, await owner.get("/v1/connections")):
        assert body["secret"] not in answer.text
    async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
        row = await uow.one(
            text("SELECT * FROM gateway.connection WHERE tenant_id = :t"), {"t": shop.tenant_id}
        )
    assert body["secret"] not in str(row)


async def test_a_platforms_own_secret_is_taken(owner: httpx.AsyncClient) -> None:
    body = {"platform": "shopify", "secret": "shpss_of-the-app", "name": "hoa-sen.myshopify.com"}
    created = (await owner.post("/v1/connections", json=body)).json()
    assert (created["secret"], created["name"]) == ("shpss_of-the-app", "hoa-sen.myshopify.com")


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"platform": "bigcommerce"},
        {"platform": "shopify", "secret": "short"},
        {"platform": "shopify", "host": "x"},
        {"kind": "email", "host": "x"},
        {**MAILBOX, "port": 0},
        {**MAILBOX, "host": "a b"},
        {**MAILBOX, "sender_address": "nobody"},
        [],
    ],
)
async def test_what_is_no_connection_is_refused(owner: httpx.AsyncClient, body: object) -> None:
    answer = await owner.post("/v1/connections", json=body)
    assert answer.status_code == 422, answer.text


async def test_the_messaging_service_is_told_of_an_email_channel(
    gateway: FastAPI, owner: httpx.AsyncClient, shop: Shop, root_key: str
) -> None:
    created = (await owner.post("/v1/connections", json=MAILBOX)).json()
    assert created["email"] == {
        **{k: MAILBOX[k] for k in ("host", "port", "security", "sender_name", "sender_address")},
        "has_credentials": True,
    }
    assert (created["secret"], created["hook_url"]) == (None, None)
    path = f"/v1/connections/{created['id']}"
    again = {"username": "care", "password": "s3cret-of-smtp"}
    changed = await owner.patch(
        path, json={"port": 465, "security": "tls", "active": False, **again}
    )
    assert changed.json()["email"]["port"] == 465
    kind, event = (await told(gateway, shop.tenant_id))[-1]
    assert kind == "gateway.email_channel_changed"
    channel = event["channel"]
    assert (channel["port"], channel["active"], channel["version"]) == (465, False, 2)
    opened = SecretBox(root_key).open(channel["sealed_credentials"])
    assert opened == {"username": "care", "password": "s3cret-of-smtp"}
    assert "s3cret" not in str(await told(gateway, shop.tenant_id))


async def test_a_new_password_keeps_the_user_name(
    gateway: FastAPI, owner: httpx.AsyncClient, shop: Shop, root_key: str
) -> None:
    created = (await owner.post("/v1/connections", json=MAILBOX)).json()
    await owner.patch(f"/v1/connections/{created['id']}", json={"password": "another"})
    channel = (await told(gateway, shop.tenant_id))[-1][1]["channel"]
    opened = SecretBox(root_key).open(channel["sealed_credentials"])
    assert opened == {"username": "care", "password": "another"}


@pytest.mark.parametrize("moved", [{"host": "1.1.1.1"}, {"port": 465}, {"security": "none"}])
@pytest.mark.parametrize("entered", [(), ("username",), ("password",)])
async def test_kept_credentials_go_to_no_other_server(
    owner: httpx.AsyncClient, moved: dict, entered: tuple[str, ...]
) -> None:
    path = f"/v1/connections/{(await owner.post('/v1/connections', json=MAILBOX)).json()['id']}"
    answer = await owner.patch(path, json={**moved, **{name: MAILBOX[name] for name in entered}})
    assert (answer.status_code, answer.json()["code"]) == (422, "credentials_required")
    missing = [f"/body/{name}" for name in ("username", "password") if name not in entered]
    assert [fault["pointer"] for fault in answer.json()["errors"]] == missing
    assert (await owner.get(path)).json()["version"] == 1


async def test_a_server_without_credentials_and_one_that_stays_need_none_again(
    owner: httpx.AsyncClient,
) -> None:
    opened = {name: MAILBOX[name] for name in MAILBOX if name not in ("username", "password")}
    same = {"host": MAILBOX["host"], "port": MAILBOX["port"], "sender_name": "Sen"}
    for mailbox, change in ((opened, {"port": 465}), (MAILBOX, same)):
        made = (await owner.post("/v1/connections", json=mailbox)).json()
        answer = await owner.patch(f"/v1/connections/{made['id']}", json=change)
        assert answer.status_code == 200, answer.text
        assert answer.json()["email"]["has_credentials"] is (mailbox is MAILBOX)


async def test_fields_of_another_kind_are_refused(owner: httpx.AsyncClient) -> None:
    platform = (await owner.post("/v1/connections", json={"platform": "woocommerce"})).json()
    answer = await owner.patch(f"/v1/connections/{platform['id']}", json={"host": "smtp.example"})
    assert (answer.status_code, answer.json()["errors"][0]["pointer"]) == (422, "/body/host")
    mailbox = (await owner.post("/v1/connections", json=MAILBOX)).json()
    answer = await owner.post(f"/v1/connections/{mailbox['id']}/rotations")
    assert (answer.status_code, answer.json()["code"]) == (409, "no_secret_to_rotate")


async def test_another_shop_sees_none(gateway: FastAPI, owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/v1/connections", json={"platform": "shopify"})).json()
    other = await make_shop(gateway)
    path = f"/v1/connections/{created['id']}"
    async with other.owner as stranger:
        assert (await stranger.get(path)).status_code == 404
        assert (await stranger.post(f"{path}/rotations")).status_code == 404
        assert (await stranger.get(f"{path}/deliveries")).status_code == 404
        replay = f"{path}/deliveries/{uuid4()}/replays"
        assert (await stranger.post(replay)).status_code == 404
        assert (await stranger.get("/v1/connections")).json()["data"] == []


async def test_a_stale_change_is_refused(owner: httpx.AsyncClient) -> None:
    created = (await owner.post("/v1/connections", json={"platform": "shopify"})).json()
    path = f"/v1/connections/{created['id']}"
    for status in (200, 412):
        answer = await owner.patch(path, json={"name": "x"}, headers={"if-match": '"1"'})
        assert answer.status_code == status


@pytest.mark.parametrize(
    ("given", "pointer", "code"),
    [
        ({"host": "10.0.0.25"}, "/body/host", "address_not_allowed"),
        ({"host": "169.254.169.254"}, "/body/host", "address_not_allowed"),
        ({"host": "1.1.1.1", "port": 6379}, "/body/port", "port_not_allowed"),
    ],
)
async def test_a_mail_server_inside_the_network_is_refused(
    owner: httpx.AsyncClient, given: dict, pointer: str, code: str
) -> None:
    refused = await owner.post("/v1/connections", json={**MAILBOX, **given})
    assert refused.status_code == 422
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)
    made = (await owner.post("/v1/connections", json=MAILBOX)).json()
    changed = await owner.patch(f"/v1/connections/{made['id']}", json=given)
    assert changed.json()["errors"][0]["code"] == code
