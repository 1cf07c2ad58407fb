"""`careloop doctor` on installations with one real fault each."""

import asyncio
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import urlsplit

import pytest
from redis import Redis
from sqlalchemy.engine import make_url

from cli.doctor import Finding, examine
from cli.embedded.valkey import EmbeddedValkey
from cli.installation import Installation
from cli.ports import LOOPBACK, free_port
from tests.cli.supervisor import careloop, user_environment
from tests.support.house import House
from tests.support.servers import create_database

CHECKS = ["python", "disk", "port", "secret", "postgres", "schemas", "roles", "tenants", "redis"]


@pytest.fixture
def sound(house_database: str, redis_url: str, root_key: str) -> dict[str, str]:
    """The settings of an installation that has nothing wrong and does not run."""
    return {
        "DATABASE_URL": house_database,
        "REDIS_URL": redis_url,
        "CARELOOP_SECRET_KEY": root_key,
        "CARELOOP_PORT": str(free_port()),
    }


@pytest.fixture
def faults(sound: dict[str, str], tmp_path: Path):
    """What the doctor finds wrong when some of the settings are different, by check."""

    def examined(**changed: str) -> dict[str, Finding]:
        installation = Installation(tmp_path, {**sound, **changed})
        findings = asyncio.run(examine(installation))
        assert all(finding.ok or finding.advice for finding in findings), "no fault without advice"
        return {finding.check: finding for finding in findings if not finding.ok}

    return examined


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """A server whose settings a test may spoil."""
    with EmbeddedValkey(tmp_path_factory.mktemp("own") / "valkey", persistent=False) as server:
        yield server


def test_a_sound_installation_has_no_faults(faults) -> None:
    assert faults() == {}


def test_a_running_house_is_found_healthy(house: House, tmp_path: Path) -> None:
    environment = {**house.environment, "CARELOOP_PORT": str(urlsplit(house.base_url).port)}
    answer = careloop("doctor", "--json", folder=tmp_path, environment=environment)
    findings = json.loads(answer.stdout)
    assert [finding["check"] for finding in findings] == CHECKS
    assert [finding for finding in findings if not finding["ok"]] == []
    assert answer.returncode == 0
    port = next(finding for finding in findings if finding["check"] == "port")
    assert "Careloop answers" in port["detail"]


def test_a_folder_where_nothing_ever_ran_is_in_order_and_stays_untouched(tmp_path: Path) -> None:
    environment = user_environment(CARELOOP_PORT=str(free_port()))
    answer = careloop("doctor", folder=tmp_path, environment=environment)
    assert answer.returncode == 0, answer.stdout
    assert answer.stdout.count("✓") == len(CHECKS)
    assert not (tmp_path / ".careloop" / "postgres").exists(), "it starts nothing"


def test_people_are_told_the_fault_and_what_to_do(sound: dict[str, str], tmp_path: Path) -> None:
    environment = user_environment(**sound, CARELOOP_HOME=str(tmp_path / "home"))
    environment["CARELOOP_SECRET_KEY"] = "short"
    answer = careloop("doctor", folder=tmp_path, environment=environment)
    assert answer.returncode == 1
    assert "✗ secret" in " ".join(answer.stdout.split())
    assert "Set CARELOOP_SECRET_KEY to 32 or more random characters." in answer.stdout
    assert "short" not in answer.stdout.replace("missing or short", ""), "no secret is printed"


def test_settings_may_stand_in_a_file(sound: dict[str, str], tmp_path: Path) -> None:
    written = {**sound, "DATABASE_URL": "postgresql+asyncpg://nobody@127.0.0.1:1/nothing"}
    lines = [f"{name}={value}" for name, value in written.items()]
    (tmp_path / ".env").write_text("\n".join([*lines, "CUSTOMER_DATABASE_URL="]))
    answer = careloop("doctor", "--json", folder=tmp_path, environment=user_environment())
    faulty = {finding["check"] for finding in json.loads(answer.stdout) if not finding["ok"]}
    assert faulty == {"postgres", "schemas", "roles"}, "the rest of the file is sound"
    given = user_environment(DATABASE_URL=sound["DATABASE_URL"])
    answer = careloop("doctor", "--json", folder=tmp_path, environment=given)
    assert answer.returncode == 0, "the environment goes before the file"


class _Stranger(BaseHTTPRequestHandler):
    """A web server that is not Careloop, although it answers everything with 200."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


def test_another_web_server_on_the_port(faults) -> None:
    with ThreadingHTTPServer((LOOPBACK, 0), _Stranger) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        found = faults(CARELOOP_PORT=str(server.server_port))
        server.shutdown()
    assert found.keys() == {"port"}
    assert "taken by another program" in found["port"].detail
    assert "CARELOOP_PORT" in found["port"].advice


def test_a_program_on_the_port_that_says_nothing(faults) -> None:
    with socket.create_server((LOOPBACK, 0)) as server:
        found = faults(CARELOOP_PORT=str(server.getsockname()[1]))
    assert found.keys() == {"port"}


def test_a_port_that_is_no_number(tmp_path: Path) -> None:
    environment = user_environment(CARELOOP_PORT="http")
    answer = careloop("doctor", "--json", folder=tmp_path, environment=environment)
    assert answer.returncode == 1
    assert "CARELOOP_PORT is 'http'" in json.loads(answer.stdout)[0]["detail"]


def test_a_short_secret(faults) -> None:
    found = faults(CARELOOP_SECRET_KEY="x" * 31)
    assert "secret" in found
    assert "roles" in found, "the roles have passwords of another key"


def test_another_installation_s_secret(faults) -> None:
    found = faults(CARELOOP_SECRET_KEY="another-root-key-another-root-key-another")
    assert found.keys() == {"roles"}
    assert "customer" in found["roles"].detail
    assert "CARELOOP_SECRET_KEY" in found["roles"].advice


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("db.example.com", "not a database URL"),
        ("postgresql://postgres@127.0.0.1/careloop", "not postgresql+asyncpg"),
        ("mysql://root@127.0.0.1/careloop", "not postgresql+asyncpg"),
    ],
)
def test_a_database_url_that_is_none(faults, url: str, words: str) -> None:
    found = faults(DATABASE_URL=url)
    assert found.keys() == {"postgres"}
    assert words in found["postgres"].detail
    assert "postgresql+asyncpg://user:password@host/database" in found["postgres"].advice


def test_a_database_that_cannot_be_reached(faults) -> None:
    found = faults(DATABASE_URL="postgresql+asyncpg://postgres:sesame@127.0.0.1:1/careloop")
    assert found.keys() == {"postgres", "schemas", "roles"}
    assert "that the server runs" in found["postgres"].advice
    assert "server" in found["roles"].advice
    assert "sesame" not in repr(found), "no password is printed"


def test_a_wrong_password_and_a_missing_database(faults, house_database: str) -> None:
    url = make_url(house_database)
    wrong = url.set(password="wrong").render_as_string(hide_password=False)
    assert "password" in faults(DATABASE_URL=wrong)["postgres"].detail
    missing = url.set(database="nowhere").render_as_string(hide_password=False)
    assert '"nowhere" does not exist' in faults(DATABASE_URL=missing)["postgres"].detail


async def test_a_database_without_schemas(sound: dict[str, str], tmp_path: Path) -> None:
    server = os.environ["CARELOOP_TEST_POSTGRES"]
    url = await create_database(server, "cli_empty", template="template1")
    empty = {**sound, "DATABASE_URL": url}
    found = {f.check: f for f in await examine(Installation(tmp_path, empty)) if not f.ok}
    assert found.keys() == {"schemas"}
    assert "customer" in found["schemas"].detail
    assert found["schemas"].advice == "Run careloop migrate."


def test_redis_out_of_reach(faults) -> None:
    found = faults(REDIS_URL="redis://127.0.0.1:1/0")
    assert found.keys() == {"redis"}
    assert "REDIS_URL" in found["redis"].advice


def test_redis_under_a_url_that_is_none(faults) -> None:
    assert faults(REDIS_URL="127.0.0.1:6379").keys() == {"redis"}


@pytest.mark.parametrize(
    ("spoil", "mend"),
    [
        (["REPLICAOF", "127.0.0.1", "1"], ["REPLICAOF", "NO", "ONE"]),
        (["CONFIG", "SET", "maxmemory", "1"], ["CONFIG", "SET", "maxmemory", "0"]),
    ],
    ids=["a replica", "no memory left"],
)
def test_redis_that_refuses_writes(
    faults, valkey: EmbeddedValkey, spoil: list[str], mend: list[str]
) -> None:
    with Redis.from_url(valkey.url()) as redis:
        redis.execute_command(*spoil)
        found = faults(REDIS_URL=valkey.url())
        redis.execute_command(*mend)
    assert found.keys() == {"redis"}
    assert found["redis"].advice.startswith("It refuses writes")


def test_a_folder_that_cannot_be_one(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    environment = user_environment(CARELOOP_HOME=str(tmp_path / "file" / "home"))
    answer = careloop("doctor", "--json", folder=tmp_path, environment=environment)
    assert answer.returncode == 1
    assert "Not a directory" in json.loads(answer.stdout)[0]["detail"]
    answer = careloop("up", folder=tmp_path, environment=environment)
    assert answer.returncode == 1
    assert "CARELOOP_HOME" in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 kB."""
    folder = tmp_path / "small disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder],
        check=False,
        capture_output=True,
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small file system needs root: {mounted.stderr.decode().strip()}")
    yield folder
    subprocess.run(["umount", folder], check=True)


def test_a_disk_with_little_room(sound: dict[str, str], small_disk: Path) -> None:
    findings = asyncio.run(examine(Installation(small_disk, sound)))
    found = {finding.check: finding for finding in findings if not finding.ok}
    assert found.keys() == {"disk"}
    assert "Free some space" in found["disk"].advice


def test_a_disk_without_any_room(small_disk: Path, tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left"):
        (small_disk / "junk").write_bytes(b"x" * 100_000)
    environment = user_environment(CARELOOP_HOME=str(small_disk / "home"))
    answer = careloop("doctor", "--json", folder=tmp_path, environment=environment)
    assert answer.returncode == 1
    assert "No space left" in json.loads(answer.stdout)[0]["detail"]
