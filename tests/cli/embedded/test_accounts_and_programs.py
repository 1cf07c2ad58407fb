"""Who runs a server, and with which programs."""

import contextlib
import importlib.util
import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest

from cli.embedded import EmbeddedPostgres, EmbeddedValkey
from cli.embedded.errors import DiskFull, ProgramsMissing, ServerBusy
from cli.embedded.locks import exclusive
from cli.embedded.programs import find_program
from cli.embedded.server import EmbeddedServer
from tests.cli.embedded.databases import scalar
from tests.cli.embedded.processes import first_line, pid_in, starter

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")


@pytest.fixture
def open_home() -> Iterator[Path]:
    """A folder that every account can reach, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="careloop test "))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@needs_root
@pytest.mark.parametrize("kind", ["postgres", "valkey"])
def test_an_ordinary_user_runs_it_under_the_own_account(kind: str, open_home: Path) -> None:
    account = pwd.getpwnam("nobody")
    os.chown(open_home, account.pw_uid, account.pw_gid)
    data_dir = open_home / kind
    server = EmbeddedPostgres(data_dir) if kind == "postgres" else EmbeddedValkey(data_dir)
    with starter(kind, data_dir, [account.pw_uid, account.pw_gid]) as process:
        line = first_line(process)
        try:
            if "PermissionError" in line:
                pytest.skip("the virtual environment is closed to other users")
            assert server.is_ready(), line + (process.stdout.read() if process.stdout else "")
            pid = pid_in(data_dir / server.pid_file)
            assert Path(f"/proc/{pid}").stat().st_uid == account.pw_uid
            assert (open_home / f"{kind}.password").stat().st_uid == account.pw_uid
        finally:
            process.kill()
            process.wait()
            server.stop()


@needs_root
def test_root_runs_it_as_nobody_though_the_folders_above_are_closed(home: Path) -> None:
    home.chmod(0o700)
    with EmbeddedValkey(home / "valkey") as server:
        pid = pid_in(home / "valkey" / server.pid_file)

        assert Path(f"/proc/{pid}").stat().st_uid == pwd.getpwnam("nobody").pw_uid
        assert home.stat().st_uid == 0
        assert home.stat().st_mode & 0o777 == 0o700


@needs_root
def test_root_copies_programs_that_nobody_cannot_reach(home: Path) -> None:
    found = find_program(EmbeddedPostgres.packages, EmbeddedPostgres.program_patterns)
    assert found is not None
    closed = home / "closed"
    closed.mkdir(mode=0o700)
    for folder in (found.package, found.package.with_name(f"{found.package.name}.libs")):
        if folder.exists():
            shutil.copytree(folder, closed / folder.name, ignore=shutil.ignore_patterns("include"))
    server = EmbeddedPostgres(home / "postgres")
    with starter("postgres", home / "postgres", python_path=[closed]) as process:
        line = first_line(process)
        try:
            assert server.is_ready(), line
            program = Path(f"/proc/{pid_in(home / 'postgres/postmaster.pid')}/exe").resolve()
            assert not program.is_relative_to(closed)
            assert not program.is_relative_to(found.package)
        finally:
            process.kill()
            process.wait()
            server.stop()


@needs_root
async def test_data_of_an_ordinary_user_stays_that_user_s_when_root_starts_it(home: Path) -> None:
    owner = pwd.getpwnam("daemon")
    (home / "postgres").mkdir(mode=0o700)
    os.chown(home / "postgres", owner.pw_uid, owner.pw_gid)
    with EmbeddedPostgres(home / "postgres", durable=False) as server:
        assert await scalar(server.url(), "SELECT 1") == 1
        assert (home / "postgres/PG_VERSION").stat().st_uid == owner.pw_uid


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 300 MB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=300m", "careloop", str(folder)]
    if os.geteuid() != 0 or subprocess.run(command, check=False).returncode != 0:
        pytest.skip("this process may not mount a small file system")
    yield folder
    subprocess.run(["umount", "--lazy", folder], check=True)


def test_a_full_disk_is_called_full_at_the_first_start_and_later(small_disk: Path) -> None:
    server = EmbeddedPostgres(small_disk / "postgres", durable=False)
    server.start()
    server.stop()
    with (small_disk / "ballast").open("wb") as ballast, contextlib.suppress(OSError):
        while True:
            ballast.write(bytes(1024 * 1024))

    with pytest.raises(DiskFull, match="CARELOOP_HOME"):
        server.start()
    with pytest.raises(DiskFull, match="CARELOOP_HOME"):
        EmbeddedPostgres(small_disk / "other").start()
    with pytest.raises(DiskFull, match="CARELOOP_HOME"):
        EmbeddedValkey(small_disk / "valkey").start()


def test_without_programs_it_says_which_variable_names_another_server(home: Path) -> None:
    class OnAnUnknownPlatform(EmbeddedPostgres):
        packages: ClassVar[tuple[str, ...]] = ("no_such_package",)

    with pytest.raises(ProgramsMissing, match="set DATABASE_URL"):
        OnAnUnknownPlatform(home / "postgres").start()


@pytest.mark.parametrize("first_choice", [EmbeddedPostgres, EmbeddedValkey])
def test_the_second_choice_of_package_serves_as_well(
    first_choice: type[EmbeddedServer], home: Path
) -> None:
    package = first_choice.packages[1]
    if importlib.util.find_spec(package) is None:
        pytest.skip(f"{package} is not installed")
    second_choice = type("SecondChoice", (first_choice,), {"packages": (package,)})
    with second_choice(home / "server") as server:
        assert server.is_ready()


def test_a_starter_that_never_finishes_is_named(tmp_path: Path) -> None:
    lock = tmp_path / "postgres.lock"
    with (
        exclusive(lock, timeout=1),
        pytest.raises(ServerBusy, match=str(lock)),
        exclusive(lock, timeout=0.05),
    ):
        pass
