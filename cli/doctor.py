"""What can be wrong with an installation, looked for one thing at a time."""

import os
import shutil
import socket
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import httpx
from redis.asyncio import Redis
from redis.exceptions import OutOfMemoryError, ReadOnlyError, RedisError
from sqlalchemy import text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from cli.installation import Installation
from cli.walls import standing_walls
from migrations.runner import schemas_behind
from shared.db.walls import WallsDown
from shared.settings import SCHEMAS, part_database_url

_FREE_BYTES = 500 * 1024 * 1024
_OLDEST_POSTGRES = 150000
_LOOPBACK = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found; `advice` says what to do about a fault."""

    check: str
    ok: bool
    detail: str
    advice: str = ""


Check = Callable[[Installation], Awaitable[Finding]]


async def examine(installation: Installation) -> list[Finding]:
    """Run every check. Starts nothing and changes nothing."""
    installation.find_servers()
    return [await check(installation) for check in CHECKS]


async def check_python(_installation: Installation) -> Finding:
    """The interpreter is new enough."""
    version = ".".join(str(number) for number in sys.version_info[:3])
    ok = sys.version_info >= (3, 11)
    return Finding("python", ok, version, "" if ok else "Careloop needs Python 3.11 or newer.")


async def check_home(installation: Installation) -> Finding:
    """The folder can be written to and the disk has room."""
    home = installation.home
    free = shutil.disk_usage(home).free
    if not os.access(home, os.W_OK):
        return Finding("folder", False, str(home), "Make it writable, or set CARELOOP_HOME.")
    if free < _FREE_BYTES:
        detail = f"{free // 2**20} MB free at {home}"
        return Finding("disk", False, detail, "Free some space, or set CARELOOP_HOME elsewhere.")
    return Finding("disk", True, f"{free // 2**30} GB free at {home}")


async def check_port(installation: Installation) -> Finding:
    """The port is free, or it is this installation that answers on it."""
    port = installation.port
    with socket.socket() as probe:
        probe.settimeout(2)
        taken = probe.connect_ex((_LOOPBACK, port)) == 0
    if not taken:
        return Finding("port", True, f"{port} is free (Careloop is not running)")
    if await _is_careloop(installation.base_url):
        return Finding("port", True, f"Careloop answers on {port}")
    advice = "Set CARELOOP_PORT to a free port, or end the program that uses this one."
    return Finding("port", False, f"{port} is taken by another program", advice)


async def check_secret(installation: Installation) -> Finding:
    """The root key is long enough."""
    ok = len(installation.environment.get("CARELOOP_SECRET_KEY", "")) >= 32
    advice = "Set CARELOOP_SECRET_KEY to 32 or more random characters."
    return Finding("secret", ok, "set" if ok else "missing or short", "" if ok else advice)


async def check_database(installation: Installation) -> Finding:
    """The administrator's connection works and the server is fit."""
    url = installation.environment.get("DATABASE_URL")
    if url is None:
        return Finding("postgres", True, "embedded, not running (careloop up starts it)")
    fault = _url_fault(url)
    if fault:
        return Finding(
            "postgres",
            False,
            fault,
            "DATABASE_URL is postgresql+asyncpg://user:password@host/database",
        )
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 5})
    try:
        return await _examine_server(engine)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        advice = "Check host, port, user and password of DATABASE_URL, and that the server runs."
        return Finding("postgres", False, _first_line(error), advice)
    finally:
        await engine.dispose()


async def check_schemas(installation: Installation) -> Finding:
    """Every schema is at the head of its history."""
    url = installation.environment.get("DATABASE_URL")
    if url is None or _url_fault(url):
        return Finding("schemas", True, "not looked at (no server)")
    # A part with a server of its own is migrated there.
    here = [s for s in SCHEMAS if f"{s.upper()}_DATABASE_URL" not in installation.environment]
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 5})
    try:
        behind = await schemas_behind(engine, here)
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return Finding("schemas", False, _first_line(error), "Mend the connection first.")
    finally:
        await engine.dispose()
    if behind:
        return Finding("schemas", False, f"behind: {', '.join(behind)}", "Run careloop migrate.")
    return Finding("schemas", True, f"{len(here)} schemas are current")


async def check_roles(installation: Installation) -> Finding:
    """Every part can log in with its own role."""
    environment = installation.environment
    if "DATABASE_URL" not in environment or _url_fault(environment["DATABASE_URL"]):
        return Finding("roles", True, "not looked at (no server)")
    faults = {part: await _login_fault(part, environment) for part in SCHEMAS}
    refused = {part: fault for part, fault in faults.items() if fault is not None}
    if refused:
        detail = f"no login: {', '.join(refused)} ({_first_line(next(iter(refused.values())))})"
        advice = (
            "Check that the parts' servers run and their addresses."
            if any(isinstance(fault, OSError) for fault in refused.values())
            else "Run careloop migrate with the same CARELOOP_SECRET_KEY as the parts have."
        )
        return Finding("roles", False, detail, advice)
    return Finding("roles", True, f"{len(SCHEMAS)} parts can log in")


async def check_tenants(installation: Installation) -> Finding:
    """Each part sees what it writes for a tenant, and nothing of another."""
    environment = installation.environment
    if "DATABASE_URL" not in environment or _url_fault(environment["DATABASE_URL"]):
        return Finding("tenants", True, "not looked at (no server)")
    faults = (await standing_walls(installation, SCHEMAS)).values()
    down = next((fault for fault in faults if isinstance(fault, WallsDown)), None)
    if down is not None:
        advice = "Stop all traffic until careloop db check is content."
        return Finding("tenants", False, str(down), advice)
    if any(faults):
        return Finding("tenants", True, "not looked at (a part has no connection)")
    return Finding("tenants", True, "kept apart in every part")


async def check_redis(installation: Installation) -> Finding:
    """Redis answers and takes writes."""
    url = installation.environment.get("REDIS_URL")
    if url is None:
        return Finding("redis", True, "embedded, not running (careloop up starts it)")
    try:
        async with Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as redis:
            await redis.set("careloop:doctor", "1", ex=5)
            memory = await redis.info("memory")
    except RedisError as error:
        advice = (
            "It refuses writes: check for a replica, a full disk or its memory limit."
            if _refuses_writes(error)
            else "Check REDIS_URL and that the server runs."
        )
        return Finding("redis", False, _first_line(error), advice)
    except (OSError, ValueError) as error:
        return Finding("redis", False, _first_line(error), "Check REDIS_URL.")
    return Finding("redis", True, f"takes writes, {memory['used_memory_human']} used")


CHECKS: Sequence[Check] = (
    check_python,
    check_home,
    check_port,
    check_secret,
    check_database,
    check_schemas,
    check_roles,
    check_tenants,
    check_redis,
)


async def _examine_server(engine: AsyncEngine) -> Finding:
    async with engine.connect() as connection:
        row = (
            await connection.execute(
                text(
                    "SELECT current_setting('server_version_num')::int AS number, "
                    "current_setting('server_version') AS version, "
                    "pg_encoding_to_char(encoding) AS encoding, lower('Đ') AS lowered, "
                    "pg_is_in_recovery() AS replica "
                    "FROM pg_database WHERE datname = current_database()"
                )
            )
        ).one()
    if row.replica:
        return Finding("postgres", False, "a read-only replica", "Use the primary's address.")
    if row.number < _OLDEST_POSTGRES:
        return Finding("postgres", False, row.version, "Careloop needs PostgreSQL 15 or newer.")
    if row.encoding != "UTF8" or row.lowered != "đ":
        advice = "Create the database with a UTF-8 locale (builtin C.UTF-8); see .env.example."
        return Finding("postgres", False, f"{row.version}, encoding {row.encoding}", advice)
    return Finding("postgres", True, f"version {row.version}")


async def _login_fault(part: str, environment: dict[str, str]) -> Exception | None:
    url = environment.get(f"{part.upper()}_DATABASE_URL") or part_database_url(
        part,
        admin_url=environment["DATABASE_URL"],
        root_key=environment["CARELOOP_SECRET_KEY"],
    )
    engine = create_async_engine(url, poolclass=NullPool, connect_args={"timeout": 5})
    try:
        async with engine.connect() as connection:
            await connection.execute(text("SELECT 1"))
    except (SQLAlchemyError, OSError, TimeoutError) as error:
        return error
    finally:
        await engine.dispose()
    return None


def _refuses_writes(error: RedisError) -> bool:
    return isinstance(error, (ReadOnlyError, OutOfMemoryError)) or "MISCONF" in str(error)


async def _is_careloop(base_url: str) -> bool:
    try:
        async with httpx.AsyncClient(base_url=base_url, timeout=3, trust_env=False) as client:
            answer = await client.get("/healthz")
    except httpx.HTTPError:
        return False
    return answer.is_success and "x-request-id" in answer.headers


def _url_fault(url: str) -> str | None:
    try:
        parsed = make_url(url)
    except ArgumentError:
        return "not a database URL"
    if parsed.drivername != "postgresql+asyncpg":
        return f"the driver is {parsed.drivername}, not postgresql+asyncpg"
    return None


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
