"""Webhook endpoints as a shop keeps them."""

from collections.abc import AsyncIterator

import pytest
from fastapi import FastAPI
from sqlalchemy import text

from tests.gateway.conftest import Shop, make_shop
from tests.gateway.sending import Keeper, keeping
from tests.gateway.staff import role_holder

URL = "https://127.0.0.1/in"


@pytest.fixture
async def keeper(shop: Shop) -> AsyncIterator[Keeper]:
    async with keeping(shop) as keeper:
        yield keeper


async def test_an_endpoint_is_made_read_changed_and_removed(keeper: Keeper) -> None:
    made = await keeper.create(URL, event_types=["ticket.*"], description="Kho hàng")
    assert made["secret"].startswith("whsec_")
    assert (made["event_types"], made["enabled"], made["version"]) == (["ticket.*"], True, 1)
    read = await keeper.get(made["id"])
    assert "secret" not in read
    path = f"/v1/webhook-endpoints/{made['id']}"
    changed = await keeper.client.patch(
        path,
        json={"event_types": ["*"], "description": None, "rate_limit": 5},
        headers={"if-match": '"1"'},
    )
    assert changed.status_code == 200, changed.text
    assert changed.json() | {"updated_at": 0} == read | {
        "event_types": ["*"],
        "description": None,
        "rate_limit": 5,
        "version": 2,
        "updated_at": 0,
    }
    stale = await keeper.client.patch(path, json={"enabled": False}, headers={"if-match": '"1"'})
    assert stale.status_code == 412
    listed = await keeper.get("")
    assert [endpoint["id"] for endpoint in listed["data"]] == [made["id"]]
    assert (await keeper.client.delete(path)).status_code == 204
    assert (await keeper.client.get(path)).json()["code"] == "webhook_endpoint_not_found"


async def test_secret_and_headers_are_kept_encrypted_and_headers_never_shown(
    keeper: Keeper, shop: Shop
) -> None:
    made = await keeper.create(URL, headers={"X-Api-Key": "key-of-the-receiver"})
    assert made["header_names"] == ["X-Api-Key"]
    assert "key-of-the-receiver" not in str(made)
    async with shop.app.state.context.units.begin(shop.tenant_id) as uow:
        row = await uow.one(
            text("SELECT * FROM gateway.webhook_endpoint WHERE tenant_id = :t"),
            {"t": shop.tenant_id},
        )
    assert made["secret"] not in str(row)
    assert "key-of-the-receiver" not in str(row)
    secret = await keeper.client.get(f"/v1/webhook-endpoints/{made['id']}/secret")
    assert secret.json()["secret"] == made["secret"]
    assert secret.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"url": "http://1.1.1.1/in"}, "/body/url", "https_required"),
        ({"url": "https://10.0.0.1/in"}, "/body/url", "address_not_allowed"),
        ({"url": "https://169.254.169.254/latest"}, "/body/url", "address_not_allowed"),
        ({"url": "https://[::1]/in"}, "/body/url", "address_not_allowed"),
        ({"url": "https://[::ffff:10.0.0.1]/in"}, "/body/url", "address_not_allowed"),
        ({"url": "https://a:b@1.1.1.1/"}, "/body/url", "credentials_in_url"),
        ({"url": "https://1.1.1.1:22/"}, "/body/url", "port_not_allowed"),
        ({"url": "ftp://1.1.1.1/"}, "/body/url", "url_not_valid"),
        ({"url": URL, "event_types": ["order.eaten"]}, "/body/event_types", "event_type_unknown"),
        ({"url": URL, "headers": {"Webhook-Id": "x"}}, "/body/headers", "header_reserved"),
        ({"url": URL, "headers": {"Host": "x"}}, "/body/headers", "header_reserved"),
    ],
)
async def test_what_must_not_be_is_refused_by_the_field(
    keeper: Keeper, body: dict, pointer: str, code: str
) -> None:
    answer = await keeper.client.post("/v1/webhook-endpoints", json=body)
    assert answer.status_code == 422
    [fault] = answer.json()["errors"]
    assert (fault["pointer"], fault["code"]) == (pointer, code)


@pytest.mark.parametrize(
    "headers", [{"X": "a\nb"}, {"X Y": "a"}, {"X": "ế"}, {"X": ""}, {"X": " a"}, {"": "a"}]
)
async def test_headers_cannot_smuggle(keeper: Keeper, headers: dict) -> None:
    answer = await keeper.client.post(
        "/v1/webhook-endpoints", json={"url": URL, "headers": headers}
    )
    assert answer.status_code == 422


async def test_a_change_of_the_url_is_checked_too(keeper: Keeper) -> None:
    made = await keeper.create(URL)
    answer = await keeper.client.patch(
        f"/v1/webhook-endpoints/{made['id']}", json={"url": "https://192.168.1.1/"}
    )
    assert answer.json()["errors"][0]["code"] == "address_not_allowed"


@pytest.mark.parametrize(
    "url", ["https://1.1.1.1/in", "https://127.0.0.1:8443/in", "http://127.0.0.1/in"]
)
async def test_kept_headers_go_to_no_other_receiver(keeper: Keeper, url: str) -> None:
    made = await keeper.create(URL, headers={"X-Api-Key": "key-of-the-receiver"})
    path = f"/v1/webhook-endpoints/{made['id']}"
    answer = await keeper.client.patch(path, json={"url": url})
    assert (answer.status_code, answer.json()["code"]) == (422, "headers_required")
    assert answer.json()["errors"][0]["pointer"] == "/body/headers"
    assert (await keeper.get(made["id"]))["url"] == URL
    for headers in ({"X-Api-Key": "another"}, {}):
        moved = await keeper.client.patch(path, json={"url": url, "headers": headers})
        assert (moved.status_code, moved.json()["header_names"]) == (200, list(headers))
        url = URL


async def test_another_path_of_a_receiver_and_no_headers_need_none(keeper: Keeper) -> None:
    made = await keeper.create(URL, headers={"X-Api-Key": "key-of-the-receiver"})
    path = f"/v1/webhook-endpoints/{made['id']}"
    same = await keeper.client.patch(path, json={"url": "https://127.0.0.1:443/other"})
    assert (same.status_code, same.json()["header_names"]) == (200, ["X-Api-Key"])
    bare = await keeper.create(URL)
    moved = await keeper.client.patch(
        f"/v1/webhook-endpoints/{bare['id']}", json={"url": "https://1.1.1.1/in"}
    )
    assert moved.status_code == 200


async def test_who_may_not_see_personal_data_cannot_have_it_sent(shop: Shop) -> None:
    async with await shop.client("webhooks:read", "webhooks:write") as client:
        answer = await client.post("/v1/webhook-endpoints", json={"url": URL})
        assert answer.json()["missing_scopes"] == ["pii:read"]


@pytest.mark.parametrize("visibility", ["team", "own"])
async def test_they_are_for_those_who_see_the_whole_shop(
    keeper: Keeper, shop: Shop, visibility: str
) -> None:
    path = f"/v1/webhook-endpoints/{(await keeper.create(URL))['id']}"
    sent = await keeper.client.post(f"{path}/tests")
    delivery = f"{path}/deliveries/{sent.json()['id']}"
    scopes = ["webhooks:read", "webhooks:write", "pii:read"]
    clerk = await role_holder(shop, scopes=scopes, visibility=visibility)
    async with clerk.client as client:
        for method, where, body in (
            ("POST", "/v1/webhook-endpoints", {"url": URL}),
            ("GET", "/v1/webhook-endpoints", None),
            ("PATCH", path, {"event_types": ["*"]}),
            ("GET", f"{path}/secret", None),
            ("GET", f"{path}/deliveries", None),
            ("GET", delivery, None),
            ("GET", f"{path}/attempts", None),
            ("POST", f"{delivery}/resends", None),
            ("POST", f"{path}/replays", {"what": "all"}),
            ("POST", f"{path}/tests", None),
        ):
            answer = await client.request(method, where, json=body)
            refusal = (answer.status_code, answer.json().get("code"))
            assert refusal == (403, "whole_shop_required"), (method, where)
    assert len((await keeper.get(""))["data"]) == 1


async def test_another_shop_sees_nothing(keeper: Keeper, gateway: FastAPI) -> None:
    made = await keeper.create(URL)
    async with keeping(await make_shop(gateway)) as stranger:
        for path in ("", "/secret", "/deliveries", "/attempts", "/stats"):
            answer = await stranger.client.get(f"/v1/webhook-endpoints/{made['id']}{path}")
            assert answer.status_code == 404, path
        for path in ("/tests", "/replays", "/secret-rotations"):
            answer = await stranger.client.post(
                f"/v1/webhook-endpoints/{made['id']}{path}", json={}
            )
            assert answer.status_code == 404, path
        answer = await stranger.client.delete(f"/v1/webhook-endpoints/{made['id']}")
        assert answer.status_code == 404
