"""`careloop health`: for container health checks; exits 0 or 1."""

import os
import time
from pathlib import Path

import httpx
import typer

HEARTBEAT_SECONDS = 5.0
_STALE_SECONDS = 30.0


def heartbeat_file() -> Path:
    """The file that a living worker touches."""
    return Path(os.environ.get("CARELOOP_HOME", ".careloop")) / "worker.heartbeat"


def health(what: str = typer.Argument(help="A URL, or the word `worker`")) -> None:
    """Exit 0 when the URL answers 2xx, or when this machine's worker is alive."""
    alive = _worker_lives() if what == "worker" else _answers(what)
    raise typer.Exit(0 if alive else 1)


def _worker_lives() -> bool:
    try:
        age = time.time() - heartbeat_file().stat().st_mtime
    except FileNotFoundError:
        return False
    return age < _STALE_SECONDS


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=4, trust_env=False).is_success
    except httpx.HTTPError:
        return False
