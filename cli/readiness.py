"""Waiting until an installation answers."""

import time

import httpx

from cli.errors import NotReady, StoppedEarly
from cli.processes import Children, StopSignal

_PAUSE = 0.05


def wait_until_ready(
    base_url: str, *, children: Children | None, seconds: float, stop: StopSignal | None = None
) -> None:
    """Return once `/readyz` says so.

    Raises NotReady after `seconds`, or when a child ended, and StoppedEarly on the signal.
    """
    deadline = time.monotonic() + seconds
    with httpx.Client(base_url=base_url, timeout=5, trust_env=False) as client:
        while time.monotonic() < deadline:
            if stop is not None and stop.has_come:
                raise StoppedEarly("Stopped before it was ready.")
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
