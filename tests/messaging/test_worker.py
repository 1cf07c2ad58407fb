"""The worker: woken after a commit, or finding the work by itself."""

import asyncio
from contextlib import asynccontextmanager, suppress

from redis.asyncio import Redis
from redis.exceptions import RedisError

from services.messaging.settings import MessagingSettings
from services.messaging.worker import build_worker
from shared.queue.worker import run_workers
from tests.messaging.world import World
from tests.support.smtp import SmtpSink
from tests.support.waiting import eventually


@asynccontextmanager
async def running(settings: MessagingSettings):
    """A worker at work; what other tests left in its queue is gone, as after `FLUSHALL`."""
    async with Redis.from_url(settings.redis_url) as redis:
        with suppress(RedisError):
            await redis.flushdb()
    stop = asyncio.Event()
    task = asyncio.create_task(run_workers([build_worker(settings)], stop))
    try:
        yield
    finally:
        stop.set()
        await task


async def test_a_message_leaves_by_itself_soon_after_it_was_planned(
    shop: World, smtp: SmtpSink, messaging_settings: MessagingSettings
):
    duc = await shop.customer()
    async with running(messaging_settings):
        await shop.enters(duc)
        (mail,) = await smtp.received(1, to=duc.email)
    assert mail["Subject"].startswith("Cửa hàng Hoa Mai")


async def test_without_redis_messages_leave_all_the_same(
    shop: World, smtp: SmtpSink, messaging_settings: MessagingSettings
):
    duc = await shop.customer()
    await shop.enters(duc)
    deaf = messaging_settings.model_copy(update={"redis_url": "redis://127.0.0.1:1/0"})
    async with running(deaf):
        await smtp.received(1, to=duc.email)


async def test_a_shop_in_trouble_does_not_stop_the_others(
    open_shop, smtp: SmtpSink, messaging_settings: MessagingSettings
):
    with SmtpSink() as gone:
        unlucky = await open_shop(gone)
    lucky = await open_shop(smtp)
    waits, leaves = await unlucky.customer(), await lucky.customer()
    await unlucky.enters(waits)
    await lucky.enters(leaves)
    async with running(messaging_settings):
        await smtp.received(1, to=leaves.email)
        await eventually(
            lambda: unlucky.message_to(waits),
            lambda message: message["reason"] == "PROVIDER_UNREACHABLE",
        )


async def test_the_installations_own_server_serves_shops_without_a_channel(
    open_shop, messaging_settings: MessagingSettings
):
    with SmtpSink() as sink:
        settings = messaging_settings.model_copy(
            update={
                "smtp_host": sink.host,
                "smtp_port": sink.port,
                "smtp_security": "none",
                "smtp_sender_address": "post@care.example.com",
                "smtp_sender_name": "Careloop",
            }
        )
        shop = await open_shop()
        duc = await shop.customer()
        await shop.enters(duc)
        async with running(settings):
            (mail,) = await sink.received(1, to=duc.email)
    assert mail["From"].addresses[0].addr_spec == "post@care.example.com"
