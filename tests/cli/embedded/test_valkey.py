import os
import stat
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from arq.connections import RedisSettings, create_pool
from redis.asyncio import Redis
from redis.exceptions import ConnectionError as RedisConnectionError

from tests.cli.embedded.conftest import ValkeyFactory
from tests.cli.embedded.processes import first_line, kill, pid_in, starter


@pytest.fixture
def data_dir(home: Path) -> Path:
    return home / "valkey"


@pytest.fixture
def pid_file(data_dir: Path) -> Path:
    return data_dir / "valkey.pid"


async def put(url: str, key: str, value: str) -> None:
    async with Redis.from_url(url) as redis:
        await redis.set(key, value)


async def got(url: str, key: str) -> str | None:
    async with Redis.from_url(url, decode_responses=True) as redis:
        value: str | None = await redis.get(key)
        return value


async def test_redis_py_uses_its_databases_apart(valkey: ValkeyFactory) -> None:
    server = valkey()
    server.start()
    await put(server.url(), "colour", "green")
    await put(server.url(7), "colour", "red")

    assert server.is_ready()
    assert await got(server.url(), "colour") == "green"
    assert await got(server.url(7), "colour") == "red"


async def test_arq_enqueues_through_its_url(valkey: ValkeyFactory) -> None:
    server = valkey()
    server.start()
    pool = await create_pool(RedisSettings.from_dsn(server.url(3)))

    assert await pool.enqueue_job("anything") is not None
    assert await pool.zcard("arq:queue") == 1
    await pool.aclose()


async def test_a_warm_start_has_the_keys_and_the_url_of_before(valkey: ValkeyFactory) -> None:
    server = valkey()
    server.start()
    url = server.url()
    await put(url, "colour", "green")

    server.stop()
    assert not server.is_ready()
    server.start()

    assert server.url() == url
    assert await got(url, "colour") == "green"


async def test_keys_survive_kill_9(valkey: ValkeyFactory, data_dir: Path, pid_file: Path) -> None:
    server = valkey()
    server.start()
    await put(server.url(), "colour", "green")

    kill(pid_in(pid_file), folder=data_dir)
    assert not server.is_ready()
    server.start()

    assert await got(server.url(), "colour") == "green"


async def test_six_simultaneous_starters_make_one_server_that_outlives_them(
    valkey: ValkeyFactory, data_dir: Path, pid_file: Path
) -> None:
    with ExitStack() as stack:
        starters = [stack.enter_context(starter("valkey", data_dir)) for _ in range(6)]
        urls = {first_line(process) for process in starters}
        pid = pid_in(pid_file)
    assert len(urls) == 1

    first, second = valkey(), valkey()
    first.start()
    second.start()
    assert pid_in(pid_file) == pid
    first.stop()
    assert second.is_ready()
    second.stop()
    assert not second.is_ready()


async def test_without_persistence_a_stop_empties_it(valkey: ValkeyFactory) -> None:
    server = valkey(persistent=False)
    server.start()
    await put(server.url(), "colour", "green")
    server.stop()
    server.start()

    assert await got(server.url(), "colour") is None


async def test_a_server_without_persistence_is_never_adopted_for_real_data(
    valkey: ValkeyFactory,
) -> None:
    valkey(persistent=False).start()
    server = valkey()
    server.start()

    async with Redis.from_url(server.url(), decode_responses=True) as redis:
        settings = await redis.config_get("append*")
    assert settings["appendonly"] == "yes"
    assert settings["appendfsync"] == "everysec"


async def test_without_sockets_it_listens_on_a_loopback_port_and_keeps_it(
    valkey: ValkeyFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_long = tmp_path / ("x" * 100)
    too_long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(too_long))
    server = valkey()
    server.start()
    url = server.url(2)
    await put(url, "colour", "green")
    server.stop()
    server.start()

    assert urlsplit(url).hostname == "127.0.0.1"
    assert server.url(2) == url
    assert await got(url, "colour") == "green"


def test_its_files_are_private(valkey: ValkeyFactory, home: Path, data_dir: Path) -> None:
    valkey().start()

    assert stat.S_IMODE((home / "valkey.password").stat().st_mode) == 0o600
    assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700


async def test_without_the_password_nobody_reads_a_key(valkey: ValkeyFactory) -> None:
    server = valkey()
    server.start()
    password = urlsplit(server.url()).password
    assert password

    with pytest.raises(RedisConnectionError, match="invalid username-password"):
        await got(server.url().replace(password, "guess"), "colour")


def test_ctrl_c_in_the_terminal_does_not_reach_it(valkey: ValkeyFactory, pid_file: Path) -> None:
    valkey().start()

    assert os.getsid(pid_in(pid_file)) != os.getsid(0)
