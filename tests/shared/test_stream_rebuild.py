"""A consumer that has lost its projection is filled again from snapshots, while life goes on."""

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar
from uuid import UUID, uuid5

from sqlalchemy import text

from shared.contracts.event import Event
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.part.context import PartContext
from shared.stream.envelope import Envelope
from tests.shared.test_stream import running
from tests.support.waiting import eventually

# An object is a counter: its kind is its id, its value is its version.
CHANGE = text(
    "INSERT INTO source.code_counter VALUES (:tenant, :kind, 1) ON CONFLICT (tenant_id, kind) "
    "DO UPDATE SET next_value = code_counter.next_value + 1 RETURNING next_value"
)
PROJECT = text(
    "INSERT INTO sink.code_counter VALUES (:tenant, :kind, :version) "
    "ON CONFLICT (tenant_id, kind) DO UPDATE SET next_value = excluded.next_value "
    "WHERE excluded.next_value > code_counter.next_value"
)
RESET = text("DELETE FROM sink.code_counter WHERE tenant_id = :tenant")
OBJECTS = [f"object {number}" for number in range(40)]


class Changed(Event):
    type: ClassVar[str] = "source.changed"
    name: str
    version: int


class Snapshotted(Changed):
    type: ClassVar[str] = "source.snapshotted"


async def project(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    for event in events:
        state = event.read(Changed)
        parameters = {"tenant": uow.tenant_id, "kind": state.name, "version": state.version}
        await uow.execute(PROJECT, parameters)


def key_of(tenant: TenantId, name: str) -> UUID:
    return uuid5(tenant, name)


async def change(source: PartContext[Any], tenant: TenantId, name: str) -> None:
    async with source.units.begin(tenant) as uow:
        version = await uow.scalar(CHANGE, {"tenant": tenant, "kind": name})
        uow.append(Changed(name=name, version=version), key=key_of(tenant, name))
        await uow.commit()


async def tell_snapshots(source: PartContext[Any], tenant: TenantId) -> None:
    """In pages, each of which reads what is true at its time."""
    for start in range(0, len(OBJECTS), 10):
        names = OBJECTS[start : start + 10]
        async with source.units.begin(tenant) as uow:
            for name, version in (await versions(uow, "source")).items():
                if name in names:
                    snapshot = Snapshotted(name=name, version=version)
                    uow.append(snapshot, key=key_of(tenant, name))
            await uow.commit()


async def versions(uow: UnitOfWork, schema: str) -> dict[str, int]:
    statement = text(f"SELECT kind, next_value FROM {schema}.code_counter WHERE tenant_id = :t")
    return {row.kind: row.next_value for row in await uow.rows(statement, {"t": uow.tenant_id})}


async def known(part: PartContext[Any], tenant: TenantId) -> dict[str, int]:
    async with part.units.begin(tenant) as uow:
        return await versions(uow, part.units.schema)


async def test_a_projection_that_was_lost_is_rebuilt_from_snapshots(source, sink, tenant):
    async with running(source, sink, project, events=(Changed, Snapshotted)):
        for name in OBJECTS:
            await change(source, tenant, name)
        await eventually(lambda: known(sink, tenant), lambda seen: len(seen) == len(OBJECTS))
        async with sink.units.begin(tenant) as uow:
            await uow.execute(RESET, {"tenant": tenant})
            await uow.commit()
        untouched, busy = OBJECTS[:20], OBJECTS[20:]
        changing = [change(source, tenant, name) for name in busy for _ in range(3)]
        await asyncio.gather(tell_snapshots(source, tenant), *changing)
        expected = dict.fromkeys(untouched, 1) | dict.fromkeys(busy, 4)
        assert await known(source, tenant) == expected
        await eventually(lambda: known(sink, tenant), lambda seen: seen == expected)
