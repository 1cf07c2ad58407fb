"""The only place where all parts meet in one process."""

from collections.abc import Callable, Mapping, Sequence

from fastapi import FastAPI
from starlette.types import ASGIApp

from gateway.app import create_app as create_gateway
from gateway.settings import GatewaySettings
from gateway.upstreams.upstream import HttpUpstream, InProcessUpstream, Upstream
from gateway.worker import build_worker as build_gateway_worker
from services.customer.app import create_app as create_customer
from services.customer.settings import CustomerSettings
from services.customer.worker import build_worker as build_customer_worker
from services.messaging.app import create_app as create_messaging
from services.messaging.settings import MessagingSettings
from services.messaging.worker import build_worker as build_messaging_worker
from services.segmentation.app import create_app as create_segmentation
from services.segmentation.settings import SegmentationSettings
from services.segmentation.worker import build_worker as build_segmentation_worker
from services.support_ticket.app import create_app as create_support_ticket
from services.support_ticket.settings import SupportTicketSettings
from services.support_ticket.worker import build_worker as build_support_ticket_worker
from shared.queue.worker import PartWorker
from shared.settings import SCHEMAS, SERVICES

_APPS: Mapping[str, Callable[[], FastAPI]] = {
    "customer": lambda: create_customer(CustomerSettings()),
    "segmentation": lambda: create_segmentation(SegmentationSettings()),
    "support_ticket": lambda: create_support_ticket(SupportTicketSettings()),
    "messaging": lambda: create_messaging(MessagingSettings()),
}
_WORKERS: Mapping[str, Callable[[], PartWorker]] = {
    "customer": lambda: build_customer_worker(CustomerSettings()),
    "segmentation": lambda: build_segmentation_worker(SegmentationSettings()),
    "support_ticket": lambda: build_support_ticket_worker(SupportTicketSettings()),
    "messaging": lambda: build_messaging_worker(MessagingSettings()),
    "gateway": lambda: build_gateway_worker(GatewaySettings()),
}
PARTS = SCHEMAS


def all_in_one() -> ASGIApp:
    """The gateway with the four services in the same process."""
    upstreams: dict[str, Upstream] = {
        name: InProcessUpstream(create()) for name, create in _APPS.items()
    }
    return create_gateway(GatewaySettings(), upstreams)


def single_part(part: str) -> ASGIApp:
    """One part as a process of its own; the gateway reaches the services over HTTP."""
    if part != "gateway":
        return _APPS[part]()
    settings = GatewaySettings()
    upstreams: dict[str, Upstream] = {
        name: HttpUpstream(settings.upstream_url(name)) for name in SERVICES
    }
    return create_gateway(settings, upstreams)


def workers(parts: Sequence[str] = PARTS) -> list[PartWorker]:
    """The workers of `parts`."""
    return [_WORKERS[part]() for part in parts]
