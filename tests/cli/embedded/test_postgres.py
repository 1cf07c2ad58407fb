import os
import shutil
import signal
import stat
import subprocess
import tempfile
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from cli.embedded import EmbeddedPostgres
from cli.embedded.errors import DataFolderUnusable, ServerNotStarted, ServerStartFailed
from cli.embedded.processes import wait_until
from tests.cli.embedded.conftest import PostgresFactory
from tests.cli.embedded.databases import execute, scalar
from tests.cli.embedded.processes import first_line, kill, pid_in, starter

existing_data = pytest.mark.usefixtures("existing_data")


@pytest.fixture
def data_dir(home: Path) -> Path:
    return home / "postgres"


@pytest.fixture
def pid_file(data_dir: Path) -> Path:
    return data_dir / "postmaster.pid"


async def test_first_start_makes_a_durable_server_for_text_of_all_languages(
    postgres: PostgresFactory,
) -> None:
    server = postgres(durable=True, settings={"max_connections": "50"})
    server.start()

    assert server.is_ready()
    assert await scalar(server.url(), "SHOW fsync") == "on"
    assert await scalar(server.url(), "SHOW synchronous_commit") == "on"
    assert await scalar(server.url(), "SHOW max_connections") == "50"
    assert await scalar(server.url(), "SELECT lower('ĐẶNG THỊ ÁNH')") == "đặng thị ánh"
    assert await scalar(server.url(), "SELECT uuid_extract_version(uuidv7())") == 7


@existing_data
async def test_a_warm_start_has_the_data_and_the_url_of_before(postgres: PostgresFactory) -> None:
    server = postgres()
    server.start()
    url = server.url()
    await execute(url, "CREATE TABLE note AS SELECT 'kept' AS body")

    server.stop()
    assert not server.is_ready()
    server.start()

    assert server.url() == url
    assert await scalar(url, "SELECT body FROM note") == "kept"


@existing_data
def test_a_healthy_server_is_adopted_and_ends_with_its_last_user(
    postgres: PostgresFactory, pid_file: Path
) -> None:
    first, second = postgres(), postgres()
    first.start()
    pid = pid_in(pid_file)
    second.start()
    first.start()
    assert pid_in(pid_file) == pid

    first.stop()
    assert second.is_ready()
    second.stop()
    assert not pid_file.exists()
    assert not second.is_ready()


@existing_data
async def test_committed_data_survives_kill_9(
    postgres: PostgresFactory, data_dir: Path, pid_file: Path
) -> None:
    server = postgres(durable=True)
    server.start()
    await execute(server.url(), "CREATE TABLE note AS SELECT 'kept' AS body")

    kill(pid_in(pid_file), folder=data_dir)
    assert not server.is_ready()
    server.start()

    assert await scalar(server.url(), "SELECT body FROM note") == "kept"


@existing_data
def test_a_dead_server_s_pid_may_belong_to_a_stranger_now(
    postgres: PostgresFactory, data_dir: Path, pid_file: Path
) -> None:
    server = postgres()
    server.start()
    kill(pid_in(pid_file), folder=data_dir)
    owner = data_dir.stat()
    become = {"user": owner.st_uid, "group": owner.st_gid} if os.geteuid() == 0 else {}
    with subprocess.Popen(["sleep", "60"], **become) as stranger:  # type: ignore[call-overload]
        try:
            rest = pid_file.read_bytes().partition(b"\n")[2]
            pid_file.write_bytes(b"%d\n%b" % (stranger.pid, rest))
            server.start()
            assert server.is_ready()
            assert stranger.poll() is None
        finally:
            stranger.kill()


def test_a_first_start_killed_in_initdb_leaves_nothing_in_the_way(
    postgres: PostgresFactory, home: Path
) -> None:
    with starter("postgres", home / "postgres") as first:
        assert wait_until(lambda: any(home.glob("postgres.init-*/global")), timeout=10)
        first.kill()
        first.wait()
    assert not (home / "postgres").exists()

    server = postgres()
    server.start()

    assert server.is_ready()
    server.stop()
    server.start()
    assert not any(home.glob("postgres.init-*"))


async def test_six_simultaneous_starters_make_one_server_that_outlives_them(
    postgres: PostgresFactory, home: Path, pid_file: Path
) -> None:
    with ExitStack() as stack:
        starters = [stack.enter_context(starter("postgres", home / "postgres")) for _ in range(6)]
        urls = {first_line(process) for process in starters}
        pid = pid_in(pid_file)
    assert len(urls) == 1
    assert await scalar(urls.pop(), "SELECT 1") == 1

    server = postgres()
    server.start()
    assert pid_in(pid_file) == pid


@existing_data
async def test_a_server_without_durability_is_never_adopted_for_real_data(
    postgres: PostgresFactory,
) -> None:
    forgetful, durable = postgres(), postgres(durable=True)
    forgetful.start()
    assert await scalar(forgetful.url(), "SHOW fsync") == "off"

    durable.start()

    assert await scalar(durable.url(), "SHOW fsync") == "on"


@existing_data
async def test_a_server_whose_socket_was_cleaned_away_is_replaced(
    postgres: PostgresFactory,
) -> None:
    server = postgres()
    server.start()
    shutil.rmtree(parse_qs(urlsplit(server.url()).query)["host"][0])
    assert not server.is_ready()

    server.start()

    assert await scalar(server.url(), "SELECT 1") == 1


@existing_data
async def test_new_data_never_meets_the_server_of_deleted_data(
    postgres: PostgresFactory, data_dir: Path, pid_file: Path
) -> None:
    server = postgres()
    server.start()
    old_url, old_pid = server.url(), pid_in(pid_file)
    await execute(old_url, "CREATE TABLE note AS SELECT 'old' AS body")
    shutil.rmtree(data_dir)
    try:
        server.start()

        assert server.url() != old_url
        assert await scalar(server.url(), "SELECT to_regclass('note')") is None
    finally:
        os.kill(old_pid, signal.SIGQUIT)
        shutil.rmtree(parse_qs(urlsplit(old_url).query)["host"][0], ignore_errors=True)


@existing_data
async def test_without_sockets_it_listens_on_a_loopback_port_and_keeps_it(
    postgres: PostgresFactory, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    too_long = tmp_path / ("x" * 100)
    too_long.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(too_long))
    server = postgres()
    server.start()
    url = server.url("template1")

    assert urlsplit(url).hostname == "127.0.0.1"
    assert await scalar(url, "SELECT current_database()") == "template1"
    server.stop()
    server.start()
    assert server.url("template1") == url


@existing_data
def test_the_password_lies_in_a_private_file(postgres: PostgresFactory, home: Path) -> None:
    server = postgres()
    server.start()
    file = home / "postgres.password"

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_text() in server.url()
    assert file.read_text() not in server.url(user="careloop_customer")


@existing_data
async def test_without_the_password_nobody_logs_in(postgres: PostgresFactory) -> None:
    server = postgres()
    server.start()
    password = urlsplit(server.url()).password
    assert password

    with pytest.raises(Exception, match="password authentication failed"):
        await scalar(server.url().replace(password, "guess"), "SELECT 1")


@existing_data
def test_ctrl_c_in_the_terminal_does_not_reach_it(
    postgres: PostgresFactory, pid_file: Path
) -> None:
    postgres().start()

    assert os.getsid(pid_in(pid_file)) != os.getsid(0)


def test_a_folder_of_other_files_is_refused_and_left_alone(
    postgres: PostgresFactory, data_dir: Path
) -> None:
    data_dir.mkdir()
    (data_dir / "thesis.odt").write_text("months of work")

    with pytest.raises(DataFolderUnusable, match="no PostgreSQL data"):
        postgres().start()
    assert (data_dir / "thesis.odt").read_text() == "months of work"


@existing_data
def test_data_of_another_version_is_refused_with_advice(
    postgres: PostgresFactory, data_dir: Path
) -> None:
    server = postgres()
    server.start()
    server.stop()
    (data_dir / "PG_VERSION").write_text("9.6\n")

    with pytest.raises(DataFolderUnusable, match="another version"):
        server.start()


def test_a_failed_start_says_what_the_server_said(postgres: PostgresFactory) -> None:
    with pytest.raises(ServerStartFailed, match='unrecognized configuration parameter "speed"'):
        postgres(settings={"speed": "11"}).start()


def test_the_url_is_unknown_before_the_first_start(home: Path) -> None:
    server = EmbeddedPostgres(home / "postgres")

    assert not server.is_ready()
    server.stop()
    with pytest.raises(ServerNotStarted):
        server.url()
