"""The gateway's background process: reads what platforms deliver, fills feeds, sends webhooks."""

from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Final

from gateway.deliveries.fetching import FETCH_DELIVERIES, DeliveryFetcher
from gateway.deliveries.forgetting import delivery_forgetting
from gateway.deliveries.tasks import READ_DELIVERIES, DeliveryReader
from gateway.erasure import gateway_privacy
from gateway.handlers import build_handlers
from gateway.outgoing import OutgoingWork
from gateway.password_resets.tasks import SWEEP_SECONDS as FORGET_SECONDS
from gateway.password_resets.tasks import forget_old_access
from gateway.platforms.platform import Platform
from gateway.platforms.store_api import StoreApi
from gateway.settings import GatewaySettings
from shared.clock import Clock
from shared.part.context import build_context
from shared.part.worker import build_part_worker
from shared.queue.worker import PartWorker, Periodic
from shared.security.keys import SecretBox
from shared.stream.relay import parse_tenant

SWEEP_SECONDS: Final = 1.0


def build_worker(settings: GatewaySettings, *, clock: Clock | None = None) -> PartWorker:
    """The worker of one process."""
    context = build_context(settings, clock)
    reader, outgoing = DeliveryReader(context.units), OutgoingWork.of(context)

    url = settings.bigcommerce_url
    store_api = StoreApi(http=outgoing.http, url=url, clock=context.clock)
    fetcher = DeliveryFetcher(
        units=context.units,
        stores={Platform.BIGCOMMERCE: store_api},
        box=SecretBox(settings.root_key),
        read=reader.read,
    )

    forgetting = delivery_forgetting(
        context.units,
        read=timedelta(days=settings.delivery_days),
        unread=timedelta(days=settings.unread_delivery_days),
    )

    async def fetch_deliveries(tenant: str) -> None:
        await fetcher.wake(parse_tenant(tenant))

    async def read_deliveries(tenant: str) -> None:
        await reader.read(parse_tenant(tenant))

    worker = build_part_worker(
        context,
        handlers=build_handlers(context, announce=outgoing.announce),
        jobs={
            READ_DELIVERIES: read_deliveries,
            FETCH_DELIVERIES: fetch_deliveries,
            **outgoing.jobs,
        },
        periodics=[
            Periodic("deliveries.sweep", SWEEP_SECONDS, reader.sweep),
            Periodic("deliveries.fetch", SWEEP_SECONDS, fetcher.sweep),
            forgetting,
            Periodic("access.forget", FORGET_SECONDS, partial(forget_old_access, context.units)),
            *outgoing.periodics,
        ],
        privacy=gateway_privacy(settings.root_key),
    )
    return replace(
        worker,
        hurry=[fetcher.hurry, outgoing.sender.hurry, *worker.hurry],
        close=[fetcher.close, outgoing.close, *worker.close],
    )
