"""What is kept beside a data folder between starts: the server's password, where it listens."""

import json
import secrets
from dataclasses import dataclass
from pathlib import Path

from cli.embedded.endpoint import Endpoint


@dataclass(frozen=True, slots=True)
class State:
    """What is remembered of the server that was started last."""

    endpoint: Endpoint
    durable: bool


def read_state(path: Path) -> State | None:
    """The remembered state; None when there is none that can be understood."""
    try:
        data = json.loads(path.read_bytes())
        folder = data["folder"]
        endpoint = Endpoint(Path(folder) if folder else None, int(data["port"]))
        return State(endpoint, durable=bool(data["durable"]))
    except (FileNotFoundError, ValueError, KeyError, TypeError):
        return None


def write_state(path: Path, state: State) -> None:
    """Remember `state`, whole or not at all."""
    folder = state.endpoint.folder
    data = {
        "folder": str(folder) if folder else None,
        "port": state.endpoint.port,
        "durable": state.durable,
    }
    partial = path.with_name(f"{path.name}.partial")
    partial.write_text(json.dumps(data), encoding="utf-8")
    partial.replace(path)


def read_password(path: Path) -> str | None:
    """The kept password; None when there is none."""
    try:
        return path.read_text(encoding="utf-8") or None
    except FileNotFoundError:
        return None


def keep_password(path: Path) -> str:
    """The kept password, made at random the first time; only its owner can read the file."""
    known = read_password(path)
    if known is not None:
        return known
    password = secrets.token_hex(24)
    partial = path.with_name(f"{path.name}.partial")
    partial.unlink(missing_ok=True)
    partial.touch(mode=0o600)
    partial.write_text(password, encoding="utf-8")
    partial.replace(path)
    return password
