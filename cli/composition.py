"""The only place where all parts meet in one process."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from fastapi import FastAPI
from starlette.types import ASGIApp

from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream, Upstream
from gateway.worker import build_worker as build_gateway_worker
from services.customer.app import create_app as create_customer
from services.customer.handlers import build_handlers as build_customer_handlers
from services.customer.settings import CustomerSettings
from services.customer.worker import build_worker as build_customer_worker
from services.messaging.app import create_app as create_messaging
from services.messaging.handlers import build_handlers as build_messaging_handlers
from services.messaging.settings import MessagingSettings
from services.messaging.worker import build_worker as build_messaging_worker
from services.segmentation.app import create_app as create_segmentation
from services.segmentation.handlers import build_handlers as build_segmentation_handlers
from services.segmentation.settings import SegmentationSettings
from services.segmentation.worker import build_worker as build_segmentation_worker
from services.support_ticket.app import create_app as create_support_ticket
from services.support_ticket.handlers import build_handlers as build_support_ticket_handlers
from services.support_ticket.settings import SupportTicketSettings
from services.support_ticket.worker import build_worker as build_support_ticket_worker
from shared.part.context import PartContext
from shared.queue.worker import PartWorker
from shared.settings import SCHEMAS, PartSettings
from shared.stream.handlers import EventHandlers


class _CreateApp(Protocol):
    def __call__(self, settings: Any) -> FastAPI: ...


class _BuildWorker(Protocol):
    def __call__(self, settings: Any) -> PartWorker: ...


class _BuildHandlers(Protocol):
    def __call__(self, context: PartContext[Any]) -> EventHandlers: ...


@dataclass(frozen=True, slots=True)
class _Service:
    settings: type[PartSettings]
    create_app: _CreateApp
    build_worker: _BuildWorker
    build_handlers: _BuildHandlers


_SERVICES: Mapping[str, _Service] = {
    "customer": _Service(
        CustomerSettings, create_customer, build_customer_worker, build_customer_handlers
    ),
    "segmentation": _Service(
        SegmentationSettings,
        create_segmentation,
        build_segmentation_worker,
        build_segmentation_handlers,
    ),
    "support_ticket": _Service(
        SupportTicketSettings,
        create_support_ticket,
        build_support_ticket_worker,
        build_support_ticket_handlers,
    ),
    "messaging": _Service(
        MessagingSettings, create_messaging, build_messaging_worker, build_messaging_handlers
    ),
}
PARTS = SCHEMAS


def settings_of(part: str, **given: Any) -> PartSettings:
    """A part's settings from the environment. Raises KeyError for an unknown part."""
    kind = GatewaySettings if part == "gateway" else _SERVICES[part].settings
    return kind(**given)


def handlers_of(part: str, context: PartContext[Any]) -> EventHandlers:
    """What a service does with other parts' events. Raises KeyError for the gateway."""
    return _SERVICES[part].build_handlers(context)


def all_in_one() -> ASGIApp:
    """The gateway with the four services in the same process."""
    upstreams: dict[str, Upstream] = {
        # One line in the log for one request: the gateway's.
        name: InProcessUpstream(service.create_app(settings_of(name, access_log=False)))
        for name, service in _SERVICES.items()
    }
    return create_gateway(GatewaySettings(), upstreams)


def single_part(part: str) -> ASGIApp:
    """One part as a process of its own; the gateway reaches the services over HTTP."""
    if part != "gateway":
        return _SERVICES[part].create_app(settings_of(part))
    settings = GatewaySettings()
    upstreams: dict[str, Upstream] = {
        name: HttpUpstream(settings.upstream_url(name)) for name in _SERVICES
    }
    return create_gateway(settings, upstreams)


def workers(parts: Sequence[str] = PARTS) -> list[PartWorker]:
    """The workers of `parts`."""
    return [_worker(part) for part in parts]


def _worker(part: str) -> PartWorker:
    if part == "gateway":
        return build_gateway_worker(GatewaySettings())
    return _SERVICES[part].build_worker(settings_of(part))
