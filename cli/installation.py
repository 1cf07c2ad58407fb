"""One installation on this machine: its folder, its secrets, its servers.

With `DATABASE_URL` and `REDIS_URL` set, yours are used; otherwise real servers from wheels are
started with their data below the folder.
"""

import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dotenv import dotenv_values

from cli.embedded.postgres import EmbeddedPostgres
from cli.embedded.valkey import EmbeddedValkey
from cli.errors import InstallationUnusable

if TYPE_CHECKING:
    from shared.security.keys import KeyRing

# Both processes with all five parts, each with all the connections that it may open.
_POSTGRES_SETTINGS = {"max_connections": "600"}
_LOOPBACK = "127.0.0.0/8,::1,localhost"
DEFAULT_PORT = 8080


@dataclass
class Installation:
    """What `careloop` knows of the installation in `home`."""

    home: Path
    environment: dict[str, str] = field(default_factory=dict)
    _servers: list[EmbeddedPostgres | EmbeddedValkey] = field(default_factory=list)

    @classmethod
    def open(cls, *, home: Path | None = None, port: int | None = None) -> "Installation":
        """The installation of the working folder (or `CARELOOP_HOME`), made if it is new.

        The environment goes before `.env`. Raises InstallationUnusable.
        """
        environment = _given()
        chosen = port or _port(environment.get("CARELOOP_PORT", str(DEFAULT_PORT)))
        folder = (home or Path(environment.get("CARELOOP_HOME", ".careloop"))).resolve()
        try:
            folder.mkdir(parents=True, exist_ok=True)
            own = _secrets(folder / "secrets.json")
        except (OSError, ValueError) as error:
            raise InstallationUnusable(
                f"The folder {folder} cannot be used: {error}",
                "Make room and make it writable, or set CARELOOP_HOME to another one.",
            ) from error
        environment = {**own, **environment}
        environment["CARELOOP_PORT"] = str(chosen)
        environment["CARELOOP_HOME"] = str(folder)
        environment.setdefault("CARELOOP_PUBLIC_URL", f"http://127.0.0.1:{chosen}")
        return cls(folder, environment)

    @property
    def port(self) -> int:
        """The port of the one public door."""
        return int(self.environment["CARELOOP_PORT"])

    @property
    def base_url(self) -> str:
        """Where this machine reaches the installation."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def root_key(self) -> "KeyRing":
        """The root secrets. Raises InstallationUnusable when one is too short."""
        from shared.security.keys import KeyRing  # noqa: PLC0415  (few commands need it)

        try:
            return KeyRing.of(
                self.environment["CARELOOP_SECRET_KEY"],
                self.environment.get("CARELOOP_SECRET_KEYS_OLD", ""),
            )
        except ValueError as error:
            raise InstallationUnusable(
                f"CARELOOP_SECRET_KEY does not do: {error}",
                "Set it (and CARELOOP_SECRET_KEYS_OLD) to random characters.",
            ) from error

    @property
    def demo_file(self) -> Path:
        """Where the demo shop's credentials are written."""
        return self.home / "demo.json"

    def start_servers(self) -> None:
        """Start (or adopt) embedded servers where no URL is set. Raises EmbeddedServerError."""
        if "DATABASE_URL" not in self.environment:
            # Whoever tries things out on this machine has the receivers of webhooks here, too.
            self.environment.setdefault("CARELOOP_OUTBOUND_ALLOW", _LOOPBACK)
            postgres = EmbeddedPostgres(self.home / "postgres", settings=_POSTGRES_SETTINGS)
            postgres.start()
            self._servers.append(postgres)
            self.environment["DATABASE_URL"] = postgres.url()
        if "REDIS_URL" not in self.environment:
            valkey = EmbeddedValkey(self.home / "valkey")
            valkey.start()
            self._servers.append(valkey)
            self.environment["REDIS_URL"] = valkey.url()

    def find_servers(self) -> None:
        """Take the URLs of embedded servers that are running already; starts nothing."""
        servers: dict[str, EmbeddedPostgres | EmbeddedValkey] = {
            "DATABASE_URL": EmbeddedPostgres(self.home / "postgres", settings=_POSTGRES_SETTINGS),
            "REDIS_URL": EmbeddedValkey(self.home / "valkey"),
        }
        for name, server in servers.items():
            if name not in self.environment and server.is_ready():
                self.environment[name] = server.url()

    def stop_servers(self) -> None:
        """Stop the servers that `start_servers` started, the last first."""
        while self._servers:
            self._servers.pop().stop()

    def apply(self) -> None:
        """Make the installation's environment this process's, for the settings to read."""
        os.environ.update(self.environment)


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that only its owner may read, whole or not at all."""
    draft = path.with_suffix(".new")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2, ensure_ascii=False)
        file.write("\n")
    draft.replace(path)


def _given() -> dict[str, str]:
    """What the user has set, in the environment or in `.env` of the working folder."""
    written = {name: value for name, value in dotenv_values(".env").items() if value}
    return {**written, **os.environ}


def _port(text: str) -> int:
    if text.isdecimal() and 0 < int(text) < 65536:
        return int(text)
    raise InstallationUnusable(f"CARELOOP_PORT is {text!r}", "Set it to a number from 1 to 65535.")


def _secrets(path: Path) -> dict[str, str]:
    """The installation's own secrets, made at the first start."""
    if not path.exists():
        made = {
            "CARELOOP_SECRET_KEY": secrets.token_urlsafe(48),
            "CARELOOP_OPERATOR_KEY": f"op_{secrets.token_urlsafe(32)}",
        }
        write_private(path, made)
    kept: dict[str, str] = json.loads(path.read_text(encoding="utf-8"))
    return kept
