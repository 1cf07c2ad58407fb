"""Telling those who follow a feed that it has grown: a hint, which may be lost."""

from collections.abc import Awaitable, Callable
from typing import Final

from shared.ids import TenantId
from shared.queue.signals import Signals

Announce = Callable[[TenantId], Awaitable[None]]
CHANNEL: Final = "careloop:feed"


def announce_by(signals: Signals) -> Announce:
    """Tells every process of the gateway which shop's feed has grown."""

    async def announce(tenant_id: TenantId) -> None:
        await signals.say(CHANNEL, tenant_id.hex)

    return announce


async def tell_nobody(_tenant_id: TenantId) -> None:
    """Whoever follows the feed will look by themselves."""
