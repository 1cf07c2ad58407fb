"""Waiting until an installation answers."""

import time

import httpx

from cli.processes import Children

_PAUSE = 0.05


class NotReady(Exception):
    """The installation does not answer, or stopped answering."""


def wait_until_ready(base_url: str, *, children: Children | None, seconds: float) -> None:
    """Return once `/readyz` says so. Raises NotReady after `seconds`, or when a child ended."""
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=base_url, timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            if children is not None and (ended := children.ended()) is not None:
                raise NotReady(f"The {ended.name} process has ended by itself; its log is above.")
            if _is_ready(client):
                return
            time.sleep(_PAUSE)
    raise NotReady(f"{base_url} did not become ready within {seconds:.0f} s.")


def _is_ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").is_success
    except httpx.HTTPError:
        return False
