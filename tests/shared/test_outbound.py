"""What the house may connect to on a shop's word, and that a name cannot change its mind."""

import asyncio
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_address

import aiohttp
import pytest
from aiohttp import web
from hypothesis import given
from hypothesis import strategies as st

from shared.outbound.addresses import Address, is_public
from shared.outbound.guard import (
    MAIL_PORTS,
    AllowList,
    HostUnknown,
    OutboundGuard,
    OutboundRefused,
)
from shared.outbound.web import GuardedHttp

INSIDE = [
    "0.0.0.0",
    "10.0.0.1",
    "10.255.255.255",
    "100.64.0.1",
    "100.100.100.200",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.254",
    "192.0.0.192",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "224.0.0.1",
    "224.0.1.1",
    "239.255.255.250",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::7f00:1",
    "::ffff:127.0.0.1",
    "::ffff:10.1.2.3",
    "::ffff:169.254.169.254",
    "64:ff9b::7f00:1",
    "64:ff9b::a00:1",
    "64:ff9b:1::1",
    "100::1",
    "2001:db8::1",
    "2001::1",
    "2002:7f00:1::",
    "2002:a9fe:a9fe::",
    "fc00::1",
    "fd00:ec2::254",
    "fe80::1",
    "fe80::1%1",
    "fec0::1",
    "ff02::1",
    "ff0e::1",
]
OUTSIDE = [
    "1.1.1.1",
    "8.8.8.8",
    "93.184.215.14",
    "100.63.255.255",
    "100.128.0.1",
    "172.15.0.1",
    "172.32.0.1",
    "223.255.255.254",
    "2606:4700:4700::1111",
    "2a00:1450:4001::200e",
    "::ffff:8.8.8.8",
    "64:ff9b::808:808",
    "2002:808:808::1",
]


@pytest.mark.parametrize("text", INSIDE)
def test_an_address_inside_is_not_public(text: str):
    assert not is_public(ip_address(text))


@pytest.mark.parametrize("text", OUTSIDE)
def test_an_address_outside_is_public(text: str):
    assert is_public(ip_address(text))


@given(st.ip_addresses(v=4))
def test_how_an_address_is_written_changes_nothing(address: IPv4Address):
    """IPv4 in IPv6 clothes: mapped (RFC 4291) and translated (RFC 6052)."""
    mapped = IPv6Address(f"::ffff:{address}")
    translated = IPv6Address(int(IPv6Address("64:ff9b::")) + int(address))
    assert is_public(mapped) == is_public(translated) == is_public(address)


class Names:
    """A name server whose answers a test decides on, one after the other."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = [[ip_address(text) for text in answer] for answer in answers]
        self.asked = 0

    async def __call__(self, host: str) -> Sequence[Address]:
        answer = self.answers[min(self.asked, len(self.answers) - 1)]
        self.asked += 1
        if not answer:
            raise OSError(host)
        return answer


def guard(*answers: Sequence[str], allow: str = "") -> OutboundGuard:
    return OutboundGuard(AllowList.parse(allow), resolve=Names(*answers))


async def refusal(of: OutboundGuard, url: str) -> str | None:
    try:
        await of.check_url(url)
    except OutboundRefused as error:
        return error.code
    return None


@pytest.mark.parametrize(
    ("url", "answer", "expected"),
    [
        ("https://hooks.example.com/in", ["8.8.8.8"], None),
        ("https://hooks.example.com:8443/in", ["8.8.8.8", "2a00:1450:4001::200e"], None),
        ("https://8.8.8.8/", [], None),
        ("http://hooks.example.com/", ["8.8.8.8"], "https_required"),
        ("https://hooks.example.com:22/", ["8.8.8.8"], "port_not_allowed"),
        ("https://hooks.example.com:6379/", ["8.8.8.8"], "port_not_allowed"),
        ("https://hooks.example.com/", ["10.0.0.8"], "address_not_allowed"),
        ("https://hooks.example.com/", ["8.8.8.8", "::1"], "address_not_allowed"),
        ("https://hooks.example.com/", [], "host_not_found"),
        ("https://127.0.0.1/", [], "address_not_allowed"),
        ("https://[::1]/", [], "address_not_allowed"),
        ("https://[::ffff:169.254.169.254]/", [], "address_not_allowed"),
        ("https://localhost./", ["127.0.0.1"], "address_not_allowed"),
        ("https://a:b@hooks.example.com/", ["8.8.8.8"], "credentials_in_url"),
        ("https://8.8.8.8@127.0.0.1/", [], "credentials_in_url"),
        ("https://hooks.example.com/#part", ["8.8.8.8"], "url_not_valid"),
        ("ftp://hooks.example.com/", ["8.8.8.8"], "url_not_valid"),
        ("file:///etc/passwd", [], "url_not_valid"),
        ("https:///in", [], "url_not_valid"),
        ("https://[::1/", [], "url_not_valid"),
        ("https://hooks.example.com:99999/", ["8.8.8.8"], "url_not_valid"),
        ("/in", [], "url_not_valid"),
    ],
)
async def test_a_url_is_judged_by_every_part_of_it(url: str, answer: list[str], expected):
    assert await refusal(guard(answer), url) == expected


@pytest.mark.parametrize("host", ["2130706433", "127.1", "0x7f.1", "0177.0.0.1", "localhost"])
async def test_odd_spellings_of_loopback_get_nowhere(host: str):
    by_system = OutboundGuard(AllowList())
    assert await refusal(by_system, f"https://{host}/") in ("address_not_allowed", "host_not_found")


async def test_the_operator_lets_networks_and_hosts_pass():
    allowing = guard(["10.1.2.3"], allow="10.1.0.0/16, Mail.Internal,::1")
    assert await refusal(allowing, "http://anything.example:22/") is None
    assert await refusal(allowing, "http://[::1]:6379/") is None
    assert await refusal(allowing, "https://127.0.0.1/") == "address_not_allowed"
    by_name = guard(["192.168.0.1"], allow="mail.internal")
    assert await refusal(by_name, "http://MAIL.internal/") is None
    assert await refusal(by_name, "https://evil.mail.internal/") == "address_not_allowed"


@pytest.mark.parametrize("text", ["10.0.0.0/33", "a b", "host:25", "ho/st"])
def test_a_list_that_cannot_be_understood_is_refused(text: str):
    with pytest.raises(ValueError, match="neither"):
        AllowList.parse(text)


async def test_mail_goes_to_ports_of_mail():
    outside = guard(["8.8.8.8"])
    await outside.check_host("mail.example.com", 587, ports=MAIL_PORTS)
    with pytest.raises(OutboundRefused, match="Port 443"):
        await outside.check_host("mail.example.com", 443, ports=MAIL_PORTS)


async def test_a_connection_goes_to_the_address_that_was_checked():
    server = await asyncio.start_server(lambda _r, w: w.close(), "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    names = Names(["127.0.0.1"], ["8.8.8.8"])
    allowing = OutboundGuard(AllowList.parse("127.0.0.0/8"), resolve=names)
    with await allowing.connect("mail.example.com", port, ports=MAIL_PORTS) as connection:
        assert connection.getpeername() == ("127.0.0.1", port)
    assert names.asked == 1
    server.close()
    with pytest.raises(HostUnknown):
        await guard([]).connect("mail.example.com", 25, ports=MAIL_PORTS)


async def test_a_name_that_turns_inside_after_the_check_is_refused_at_connect():
    """DNS rebinding: public when the endpoint is created, loopback when something is sent."""
    reached: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        reached.append(request.path)
        return web.Response()

    app = web.Application()
    app.router.add_post("/", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    rebinding = guard(["8.8.8.8"], ["127.0.0.1"])
    url = f"https://rebind.example.com:{port}/"
    assert await refusal(rebinding, url) is None
    http = GuardedHttp(rebinding)
    try:
        with pytest.raises(OutboundRefused, match="not on the internet"):
            await http.post(url, body=b"{}", headers={}, seconds=5)
        for literal in (f"http://127.0.0.1:{port}/", f"https://[::ffff:127.0.0.1]:{port}/"):
            with pytest.raises(OutboundRefused):
                await http.post(literal, body=b"{}", headers={}, seconds=5)
    finally:
        await http.close()
        await runner.cleanup()
    assert reached == []


async def test_no_redirect_is_followed_and_what_is_allowed_is_reached():
    reached: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        reached.append(request.path)
        raise web.HTTPTemporaryRedirect("/elsewhere")

    app = web.Application()
    app.router.add_post("/{path:.*}", answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    http = GuardedHttp(guard(["127.0.0.1"], allow="127.0.0.1"))
    try:
        response = await http.post(
            f"http://allowed.example:{port}/in", body=b"{}", headers={}, seconds=5
        )
        assert response.status == 307
        response.release()
        with pytest.raises(aiohttp.ClientError):
            await http.post("http://allowed.example:1/in", body=b"{}", headers={}, seconds=5)
    finally:
        await http.close()
        await runner.cleanup()
    assert reached == ["/in"]
