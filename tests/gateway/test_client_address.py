"""Where a request comes from, and who is believed about it."""

from ipaddress import ip_network

import httpx
import pytest
from fastapi import FastAPI

from gateway.access.client_address import ClientAddresses, ForwardedHeader
from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import InProcessUpstream
from shared.settings import SERVICES
from tests.gateway.conftest import client_of, make_shop
from tests.gateway.echo import create_echo

PROXIES = [ip_network("10.0.0.0/8"), ip_network("fd00::/8")]


def told(
    peer: str | None,
    *values: str,
    header: ForwardedHeader = ForwardedHeader.X_FORWARDED_FOR,
    trusted=PROXIES,
) -> str:
    headers = [(header.value.encode(), value.encode("latin-1")) for value in values]
    scope = {"client": (peer, 1234) if peer is not None else None, "headers": headers}
    return ClientAddresses(trusted, header=header).of(scope)


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.7", [], "203.0.113.7"),
        ("203.0.113.7", ["198.51.100.1"], "203.0.113.7"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1, 198.51.100.1, 10.2.2.2"], "198.51.100.1"),
        ("10.0.0.1", ["1.1.1.1", "198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["10.3.3.3, 10.2.2.2"], "10.3.3.3"),
        ("10.0.0.1", ["198.51.100.1, unknown"], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1, nonsense, 10.2.2.2"], "10.2.2.2"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", [","], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.1:5123"], "198.51.100.1"),
        ("10.0.0.1", ["2001:DB8::0:1"], "2001:db8::1"),
        ("10.0.0.1", ["[2001:db8::1]:443"], "2001:db8::1"),
        ("::ffff:10.0.0.1", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["::ffff:198.51.100.1"], "198.51.100.1"),
        ("fd00::5%eth0", ["198.51.100.1"], "198.51.100.1"),
        ("10.0.0.1", ["198.51.100.1~x"], "10.0.0.1"),
        (None, ["198.51.100.1"], ""),
        ("a unix socket", ["198.51.100.1"], ""),
    ],
)
def test_only_what_our_proxies_say_counts(
    peer: str | None, forwarded: list[str], client: str
) -> None:
    assert told(peer, *forwarded) == client


def test_without_proxies_nobody_is_believed() -> None:
    assert told("10.0.0.1", "198.51.100.1", trusted=[]) == "10.0.0.1"


@pytest.mark.parametrize(
    ("value", "client"),
    [
        ("for=198.51.100.1", "198.51.100.1"),
        ('proto=https; For="[2001:db8::17]:4711"', "2001:db8::17"),
        ("for=1.1.1.1, for=198.51.100.1;by=10.2.2.2, for=10.2.2.2", "198.51.100.1"),
        ("for=198.51.100.1, for=_hidden", "10.0.0.1"),
        ("by=10.0.0.9", "10.0.0.1"),
        ('for="unbalanced, for=198.51.100.1', "198.51.100.1"),
    ],
)
def test_the_standard_header_is_read_when_it_is_the_one_chosen(value: str, client: str) -> None:
    assert told("10.0.0.1", value, header=ForwardedHeader.FORWARDED) == client


def test_the_header_that_was_not_chosen_says_nothing() -> None:
    scope = {"client": ("10.0.0.1", 1), "headers": [(b"forwarded", b"for=1.2.3.4")]}
    assert ClientAddresses(PROXIES).of(scope) == "10.0.0.1"


def test_an_endless_list_costs_no_more_than_a_long_one() -> None:
    assert told("10.0.0.1", ",".join(["1.1.1.1"] + ["10.9.9.9"] * 100_000)) == "10.9.9.9"


def test_settings_take_a_list_of_networks(monkeypatch, root_key: str) -> None:
    monkeypatch.setenv("CARELOOP_TRUSTED_PROXIES", "10.0.0.0/8, fd00::/8,192.0.2.1")
    settings = GatewaySettings(secret_key=root_key, _env_file=None)
    assert [str(network) for network in settings.trusted_proxies] == [
        "10.0.0.0/8",
        "fd00::/8",
        "192.0.2.1/32",
    ]


async def test_the_services_are_told_where_a_request_came_from(
    gateway: FastAPI, gateway_settings: GatewaySettings
) -> None:
    settings = gateway_settings.model_copy(update={"trusted_proxies": (ip_network("127.0.0.1"),)})
    upstreams = {name: InProcessUpstream(create_echo(name, settings.root_key)) for name in SERVICES}
    app = create_app(settings, upstreams)
    async with app.router.lifespan_context(app):
        shop = await make_shop(app)
        async with client_of(app, await shop.key("customers:read")) as client:
            direct = await client.get("/v1/customers")
            proxied = await client.get(
                "/v1/customers", headers={"x-forwarded-for": "6.6.6.6, 198.51.100.1"}
            )
        transport = httpx.ASGITransport(app=app, client=("203.0.113.9", 1))
        stranger = {
            "authorization": client.headers["authorization"],
            "x-forwarded-for": "198.51.100.1",
        }
        async with httpx.AsyncClient(transport=transport, base_url="http://careloop") as client:
            lying = await client.get("/v1/customers", headers=stranger)
    assert direct.json()["client_ip"] == "127.0.0.1"
    assert proxied.json()["client_ip"] == "198.51.100.1"
    assert lying.json()["client_ip"] == "203.0.113.9"
