"""The gateway, for the composition: in front of services in this process or elsewhere."""

from collections.abc import Iterable, Mapping

from fastapi import FastAPI
from starlette.types import ASGIApp

from gateway.app import create_app
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream
from gateway.worker import build_worker
from shared.queue.worker import PartWorker


def in_one_process(services: Mapping[str, ASGIApp]) -> FastAPI:
    """The public door in front of applications in this process."""
    upstreams = {name: InProcessUpstream(app) for name, app in services.items()}
    return create_app(GatewaySettings(), upstreams)


def over_http(services: Iterable[str]) -> FastAPI:
    """The public door in front of services that are processes of their own."""
    settings = GatewaySettings()
    upstreams = {name: HttpUpstream(*settings.upstream_urls(name)) for name in services}
    return create_app(settings, upstreams)


def worker() -> PartWorker:
    """The gateway's own worker."""
    return build_worker(GatewaySettings())
