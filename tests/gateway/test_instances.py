"""Several processes of one service: taking turns, and passing over who is not there."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator

import httpx
import pytest

from gateway.errors import BadGateway
from gateway.settings import GatewaySettings
from gateway.upstreams.fetch import fetch
from gateway.upstreams.instances import LEAVING_SECONDS, Instances
from gateway.upstreams.upstream import HttpUpstream
from shared.errors import Unavailable

ONE, TWO, THREE = "http://a:1", "http://b:2", "http://c:3"


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


def turns(instances: Instances, times: int = 1) -> list[str]:
    return [str(instances.in_turn()[0].origin) for _ in range(times)]


class TestTurns:
    def test_everybody_is_asked_as_often(self, time: Time) -> None:
        assert sorted(turns(Instances([ONE, TWO, THREE], clock=time), 6)) == sorted(
            [ONE, TWO, THREE] * 2
        )

    def test_who_was_not_there_comes_last_for_longer_each_time(self, time: Time) -> None:
        instances = Instances([ONE, TWO], clock=time)
        gone = instances.in_turn()[0]
        for pause in (0.5, 1, 2, 4, 8, 10, 10):
            instances.not_reached(gone)
            time.now += pause - 0.01
            assert {instances.in_turn()[-1] for _ in range(4)} == {gone}
            time.now += 0.01
            assert gone in {instances.in_turn()[0] for _ in range(2)}
        instances.answered(gone, leaving=False)
        instances.not_reached(gone)
        time.now += 0.5
        assert gone in {instances.in_turn()[0] for _ in range(2)}

    def test_who_is_about_to_end_is_spared_for_a_moment(self, time: Time) -> None:
        instances = Instances([ONE, TWO], clock=time)
        leaving = instances.in_turn()[0]
        instances.answered(leaving, leaving=True)
        assert str(leaving.origin) not in turns(instances, 4)
        time.now += LEAVING_SECONDS
        assert str(leaving.origin) in turns(instances, 2)

    def test_when_all_are_passed_over_all_are_asked(self, time: Time) -> None:
        instances = Instances([ONE, TWO], clock=time)
        for instance in instances.in_turn():
            instances.not_reached(instance)
        assert len(instances.in_turn()) == 2

    def test_who_is_about_to_end_is_asked_only_when_nobody_else_may_be_there(
        self, time: Time
    ) -> None:
        instances = Instances([ONE, TWO, THREE], clock=time)
        gone, leaving, there = instances.in_turn()
        instances.not_reached(gone)
        instances.answered(leaving, leaving=True)
        assert {tuple(instances.in_turn()) for _ in range(6)} == {(there, gone, leaving)}
        # It has ended, and its successor is on its way.
        instances.not_reached(leaving)
        instances.answered(there, leaving=True)
        assert {instances.in_turn()[-1] for _ in range(6)} == {there}

    def test_a_service_without_an_address_is_a_mistake(self, time: Time) -> None:
        with pytest.raises(ValueError, match="address"):
            Instances([], clock=time)


def test_addresses_are_separated_by_commas(root_key: str) -> None:
    settings = GatewaySettings(secret_key=root_key, upstream_customer=f"{ONE}, {TWO}")
    assert settings.upstream_urls("customer") == (ONE, TWO)
    assert len(settings.upstream_urls("messaging")) == 1
    with pytest.raises(ValueError, match="no service"):
        settings.upstream_urls("nothing")
    with pytest.raises(ValueError, match="upstream_customer"):
        GatewaySettings(secret_key=root_key, upstream_customer=" ")


class Server:
    """A server that speaks just enough HTTP and counts who came."""

    def __init__(self, name: str, *, answers: bool = True, closes: bool = False) -> None:
        self.name, self.answers, self.closes = name, answers, closes
        self.requests = 0

    async def talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                if b"content-length: " in head:
                    length = int(head.split(b"content-length: ")[1].split(b"\r\n")[0])
                    await reader.readexactly(length)
                self.requests += 1
                if not self.answers:
                    break
                connection = "close" if self.closes else "keep-alive"
                writer.write(
                    f"HTTP/1.1 200 OK\r\nconnection: {connection}\r\n"
                    f"content-length: {len(self.name)}\r\n\r\n{self.name}".encode()
                )
                if self.closes:
                    break
        writer.close()


@contextlib.asynccontextmanager
async def listening(server: Server) -> AsyncIterator[str]:
    listener = await asyncio.start_server(server.talk, "127.0.0.1", 0)
    async with listener:
        yield f"http://127.0.0.1:{listener.sockets[0].getsockname()[1]}"


@contextlib.contextmanager
def nobody():
    """An address where nobody listens."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{unused.getsockname()[1]}"


async def post(upstream: HttpUpstream, **headers: str) -> httpx.Response:
    transport = httpx.ASGITransport(app=upstream.handle)
    async with httpx.AsyncClient(transport=transport, base_url="http://x") as client:
        return await client.post("/v1/customers", json={}, headers=headers)


class TestForwarding:
    async def test_a_request_that_never_got_out_goes_to_the_next(self) -> None:
        with nobody() as gone:
            async with listening(Server("here")) as url:
                upstream = HttpUpstream(gone, url)
                async with upstream.running():
                    for _ in range(6):
                        assert (await post(upstream)).text == "here"

    async def test_nobody_is_there(self) -> None:
        with nobody() as gone, nobody() as gone_too:
            upstream = HttpUpstream(gone, gone_too)
            async with upstream.running():
                with pytest.raises(Unavailable):
                    await post(upstream)

    async def test_a_question_is_asked_again_when_its_answer_was_cut_off(self) -> None:
        mute = Server("mute", answers=False)
        async with listening(mute) as broken, listening(Server("here")) as url:
            upstream = HttpUpstream(broken, url)
            async with upstream.running():
                answers = [(await fetch(upstream, "/v1/customers")).body for _ in range(4)]
        assert answers == [b"here"] * 4
        assert mute.requests > 0

    async def test_a_write_is_repeated_only_with_a_key(self) -> None:
        mute, here = Server("mute", answers=False), Server("here")
        async with listening(mute) as broken, listening(here) as url:
            upstream = HttpUpstream(broken, url)
            async with upstream.running():
                for number in range(4):
                    assert (await post(upstream, **{"Idempotency-Key": str(number)})).is_success
                asked = mute.requests
                assert asked > 0
                outcomes = []
                for _ in range(4):
                    try:
                        outcomes.append((await post(upstream)).text)
                    except BadGateway:
                        outcomes.append("broken off")
        assert sorted(outcomes) == ["broken off"] * 2 + ["here"] * 2

    async def test_a_single_process_is_asked_again_too(self) -> None:
        mute = Server("mute", answers=False)
        async with listening(mute) as broken:
            upstream = HttpUpstream(broken)
            async with upstream.running():
                with pytest.raises(BadGateway):
                    await post(upstream, **{"Idempotency-Key": "1"})
        assert mute.requests == 2

    async def test_who_closes_its_connections_is_left_alone(self) -> None:
        leaving, staying = Server("leaving", closes=True), Server("staying")
        async with listening(leaving) as one, listening(staying) as other:
            upstream = HttpUpstream(one, other)
            async with upstream.running():
                for _ in range(10):
                    await post(upstream)
        assert leaving.requests == 1
        assert staying.requests == 9
