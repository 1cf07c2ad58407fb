"""Old events are forgotten, and no event that somebody still waits for."""

from datetime import timedelta

import pytest
from sqlalchemy import text

from shared.stream.relay import Relay
from shared.stream.retention import OutboxRetention
from tests.shared.test_stream import Happened, tell

KEPT = text("SELECT position FROM source.outbox WHERE tenant_id = :tenant ORDER BY position")
EVENTS = 3


@pytest.fixture
def kept(source, tenant):
    """The positions of the events that are still there."""

    async def positions() -> list[int]:
        async with source.units.begin(tenant) as uow:
            return list(await uow.scalars(KEPT, {"tenant": tenant}))

    return positions


@pytest.fixture
async def relay(source, tenant) -> Relay:
    """Has sent three pairs of events to two subscribers."""
    types = frozenset({Happened.type})
    relay = Relay(
        units=source.units, queue=source.queue, subscriptions={"sink": types, "other": types}
    )
    await tell(source, tenant, *range(EVENTS))
    await relay.pump(tenant)
    return relay


def retention(source, *consumers: str, kept: timedelta = -timedelta(minutes=1)) -> OutboxRetention:
    subscriptions = dict.fromkeys(consumers, frozenset({Happened.type}))
    return OutboxRetention(units=source.units, subscriptions=subscriptions, kept=kept)


async def test_what_all_have_applied_and_is_old_is_forgotten(source, tenant, relay, kept):
    await relay.acknowledge(tenant, "sink", 0, 6)
    await relay.acknowledge(tenant, "other", 0, 4)
    await retention(source, "sink", "other").sweep()
    assert await kept() == [5, 6]


async def test_what_is_young_stays(source, tenant, relay, kept):
    await relay.acknowledge(tenant, "sink", 0, 6)
    await relay.acknowledge(tenant, "other", 0, 6)
    await retention(source, "sink", "other", kept=timedelta(days=1)).sweep()
    assert len(await kept()) == 2 * EVENTS


async def test_a_subscriber_that_was_never_reached_keeps_everything(source, tenant, relay, kept):
    await relay.acknowledge(tenant, "sink", 0, 6)
    await relay.acknowledge(tenant, "other", 0, 6)
    await retention(source, "sink", "other", "new").sweep()
    assert len(await kept()) == 2 * EVENTS


async def test_the_stream_goes_on_where_it_was(source, tenant, relay, kept):
    await relay.acknowledge(tenant, "sink", 0, 6)
    await relay.acknowledge(tenant, "other", 0, 6)
    await retention(source, "sink", "other").sweep()
    assert await kept() == []
    await tell(source, tenant, 7)
    await relay.pump(tenant)
    assert await kept() == [7, 8]
