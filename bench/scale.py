"""`python -m bench.scale`: what a customer weighs, and how fast the parts take customers in.

Orders of new customers go through the services' own code: the customer service takes them in as
from a platform, its events are applied by the other services, and a segment is evaluated over
everybody. Sizes are exact; rates are of one process on this machine, with durable commits.
`docs/scaling.md` multiplies them.
"""

import argparse
import asyncio
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson
from rich.console import Console
from rich.table import Table
from sqlalchemy import text
from sqlalchemy.ext.asyncio import create_async_engine

from bench.stage import Stage, open_stage
from cli.composition import handlers_of, settings_of
from cli.interpreter import settle_down
from services.segmentation.runs.repository import RunKind
from services.segmentation.segments.reasons import Reason
from services.segmentation.wiring import Wiring
from shared.clock import SystemClock
from shared.contracts.event import Event
from shared.contracts.gateway import (
    PlatformIdentity,
    PlatformOrder,
    PlatformOrderReceived,
    PlatformOrigin,
    TenantProvisioned,
    TenantState,
)
from shared.contracts.topology import SUBSCRIPTIONS
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.json import dumps
from shared.part.context import PartContext, build_context
from shared.settings import SCHEMAS, SERVICES
from shared.stream.consumer import Consumer
from shared.stream.envelope import Batch, Envelope, StreamId
from shared.stream.source_repository import SourceRepository

_BATCH = 500
_console = Console(highlight=False)
_SIZES = text(
    """
    SELECT n.nspname AS schema, c.relname AS name,
           pg_relation_size(c.oid) AS heap, pg_total_relation_size(c.oid) AS total
    FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = ANY(:schemas) AND c.relkind = 'r'
    """
)


@dataclass(frozen=True, slots=True)
class Rate:
    """How long something took."""

    what: str
    count: int
    seconds: float


class House:
    """The services' code in this process, without queues: events are handed over by hand."""

    def __init__(self, parts: Sequence[str]) -> None:
        self.contexts: dict[str, PartContext[Any]] = {
            part: build_context(settings_of(part)) for part in parts
        }
        self._consumers = {
            part: Consumer(
                units=context.units, queue=context.queue, handlers=handlers_of(part, context)
            )
            for part, context in self.contexts.items()
        }
        self.tenant = TenantId(new_id())
        self._given = 0

    async def give(self, events: Sequence[tuple[UUID, Event]], *, to: Sequence[str]) -> None:
        """The gateway tells these parts something."""
        stream, first = StreamId(self.tenant, "gateway"), self._given + 1
        now = SystemClock().now()
        envelopes = [
            Envelope(
                tenant_id=self.tenant,
                source="gateway",
                position=first + offset,
                id=new_id(),
                key=key,
                type=event.type,
                occurred_at=now,
                data=event.model_dump(mode="json"),
                context={},
            )
            for offset, (key, event) in enumerate(events)
        ]
        self._given += len(envelopes)
        for part in to:
            await self._consumers[part].receive(Batch(stream, first, self._given, envelopes))

    async def number(self, part: str) -> int:
        """Give a part's events their places; how many there are."""
        units, repository = self.contexts[part].units, SourceRepository(part)
        stream = StreamId(self.tenant, part)
        while True:
            async with units.begin(self.tenant) as uow:
                last = await repository.lock_stream(uow, 0)
                found = await repository.number_unsent(uow, stream, after=last, limit=2000)
                await uow.commit()
            if not found:
                return last

    async def carry(self, source: str, consumer: str, *, last: int) -> int:
        """Apply a part's events in another; how many were meant for it."""
        units, repository = self.contexts[source].units, SourceRepository(source)
        stream = StreamId(self.tenant, source)
        wanted = SUBSCRIPTIONS[source][consumer]
        applied = 0
        for first in range(1, last + 1, _BATCH):
            until = min(first + _BATCH - 1, last)
            async with units.begin(self.tenant) as uow:
                outgoing = await repository.events(uow, stream, first, until)
            # As it goes over the wire: JSON out, JSON in.
            envelopes = [
                Envelope.from_json(stream, orjson.loads(dumps(event.as_json())))
                for event in outgoing
                if event.type in wanted
            ]
            applied += len(envelopes)
            await self._consumers[consumer].receive(Batch(stream, first, until, envelopes))
        return applied

    async def close(self) -> None:
        """Close connections."""
        for context in self.contexts.values():
            await context.close()


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--customers", type=int, default=10_000)
    count = parser.parse_args().customers
    with open_stage() as stage:
        stage.installation.apply()
        settle_down()
        asyncio.run(_measure(stage, count))


async def _measure(stage: Stage, count: int) -> None:
    house = House(SERVICES)
    state = TenantState(name="Hoa Mai", slug="hoa-mai")
    await house.give([(house.tenant, TenantProvisioned(tenant=state))], to=SERVICES)
    before = await _sizes(stage)
    rates = [await _take_in(house, count)]
    last = await house.number("customer")
    for consumer in SUBSCRIPTIONS["customer"]:
        if consumer in house.contexts:
            began = time.perf_counter()
            applied = await house.carry("customer", consumer, last=last)
            what = f"events applied by {consumer}"
            rates.append(Rate(what, applied, time.perf_counter() - began))
    rates.append(await _evaluate(house, count))
    _show_rates(rates)
    _show_sizes(before, await _sizes(stage), count)
    await house.close()


async def _take_in(house: House, count: int) -> Rate:
    began = time.perf_counter()
    for first in range(0, count, _BATCH):
        numbers = range(first, min(first + _BATCH, count))
        await house.give([_delivery(number) for number in numbers], to=["customer"])
    return Rate("orders of new customers taken in", count, time.perf_counter() - began)


async def _evaluate(house: House, count: int) -> Rate:
    context = house.contexts["segmentation"]
    wiring = Wiring.of(context)
    runner = JobRunner(units=context.units, kinds=wiring.job_kinds(), wake=wiring.waker.wake)
    await runner.go_on(house.tenant.hex)
    async with context.units.begin(house.tenant) as uow:
        await wiring.runs(uow).add(RunKind.EVALUATION, reason=Reason.REBUILT)
        await uow.commit()
    began = time.perf_counter()
    await runner.go_on(house.tenant.hex)
    return Rate("customers looked at for all segments", count, time.perf_counter() - began)


def _delivery(number: int) -> tuple[UUID, PlatformOrderReceived]:
    now = SystemClock().now()
    origin = PlatformOrigin(
        source="shopify",
        connection_id=new_id(),
        delivery_id=new_id(),
        topic="orders/create",
        received_at=now,
    )
    order = PlatformOrder(
        external_id=str(number),
        number=str(1000 + number),
        currency="VND",
        total_minor=150_000 + number % 900_000,
        financial_status="paid",
        placed_at=now,
        changed_at=now,
        customer=PlatformIdentity(
            external_id=str(number),
            email=f"khach.hang.{number}@example.com",
            phone=f"+849{number:08d}",
            name=f"Nguyễn Thị Hương {number}",
        ),
    )
    return new_id(), PlatformOrderReceived(origin=origin, order=order)


async def _sizes(stage: Stage) -> dict[tuple[str, str], tuple[int, int]]:
    """Bytes of each table: its rows, and all with indexes."""
    url = stage.installation.environment["DATABASE_URL"]
    engine = create_async_engine(url, isolation_level="AUTOCOMMIT")
    async with engine.connect() as connection:
        found = (await connection.execute(_SIZES, {"schemas": list(SCHEMAS)})).all()
    await engine.dispose()
    return {(row.schema, row.name): (row.heap, row.total) for row in found}


def _show_rates(rates: Sequence[Rate]) -> None:
    table = Table("what", "count", "seconds", "per second", title="One process")
    for rate in rates:
        each = f"{rate.count / rate.seconds:,.0f}"
        table.add_row(rate.what, f"{rate.count:,}", f"{rate.seconds:.1f}", each)
    _console.print(table)


def _show_sizes(
    before: dict[tuple[str, str], tuple[int, int]],
    after: dict[tuple[str, str], tuple[int, int]],
    count: int,
) -> None:
    table = Table("table", "rows, bytes", "with indexes, bytes", title="Per customer, one order")
    totals: dict[str, float] = {}
    for (schema, name), (heap, total) in sorted(after.items()):
        grown = (total - before[schema, name][1]) / count
        totals[schema] = totals.get(schema, 0) + grown
        if grown >= 1:
            rows = (heap - before[schema, name][0]) / count
            table.add_row(f"{schema}.{name}", f"{rows:,.0f}", f"{grown:,.0f}")
    for schema, grown in totals.items():
        table.add_row(f"[bold]{schema}[/bold]", "", f"[bold]{grown:,.0f}[/bold]")
    _console.print(table)


if __name__ == "__main__":
    main()
