"""The gateway, for the composition: in front of services in this process or elsewhere."""

from collections.abc import Iterable, Mapping

from fastapi import FastAPI

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream
from gateway.worker import build_worker
from shared.queue.worker import PartWorker
from shared.web.draining import draining_of


def in_one_process(services: Mapping[str, FastAPI]) -> FastAPI:
    """The public door in front of applications in this process."""
    upstreams = {name: InProcessUpstream(app) for name, app in services.items()}
    door = create_app(GatewaySettings(), upstreams)
    for app in services.values():
        draining_of(door).pass_on_to(draining_of(app))
    return door


def over_http(services: Iterable[str]) -> FastAPI:
    """The public door in front of services that are processes of their own."""
    settings = GatewaySettings()
    upstreams = {name: HttpUpstream(*settings.upstream_urls(name)) for name in services}
    return create_app(settings, upstreams)


def worker() -> PartWorker:
    """The gateway's own worker."""
    return build_worker(GatewaySettings())
