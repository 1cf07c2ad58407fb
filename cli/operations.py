"""What the operator's commands do inside a part: each with the part's own role and code."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from cli.composition import handlers_of, settings_of
from cli.errors import OperatorError
from services.segmentation.wiring import Wiring
from shared.db.tables import part_tables
from shared.ids import TenantId
from shared.jobs.repository import JobRepository
from shared.jobs.schemas import JobStatus
from shared.part.context import PartContext, build_context
from shared.settings import SCHEMAS
from shared.stream.consumer_repository import DeadLetter
from shared.stream.dead_letters import DeadLetters

_POLL_SECONDS = 0.2


@dataclass(frozen=True, slots=True)
class StreamPosition:
    """How far one consumer is with one source."""

    source: str
    consumer: str
    sent: int
    acked: int
    last: int


class ReplayFailed(OperatorError):
    """An event was refused again; it stays set aside."""

    def __init__(self, letter_id: UUID, error: Exception, *, before: int) -> None:
        super().__init__(
            f"{before} replayed, then {letter_id} was refused again and stays set aside: {error!r}"
        )


async def dead_letters_of(part: str, tenant_id: TenantId) -> list[DeadLetter]:
    """What `part` has set aside for a tenant."""
    async with _dead_letters(part) as letters:
        return await letters.list_open(tenant_id)


async def replay(part: str, tenant_id: TenantId, letter_id: UUID | None) -> int:
    """Apply one dead letter, or all, again; how many were. Raises ReplayFailed."""
    count = 0
    async with _dead_letters(part) as letters:
        chosen = [letter_id] if letter_id else await _open_ids(letters, tenant_id)
        while chosen:
            for chosen_id in chosen:
                try:
                    count += await letters.replay(tenant_id, chosen_id)
                except Exception as error:
                    raise ReplayFailed(chosen_id, error, before=count) from error
            chosen = [] if letter_id else await _open_ids(letters, tenant_id)
    return count


async def stream_positions(tenant_id: TenantId) -> list[StreamPosition]:
    """Every source's view of its consumers."""
    positions: list[StreamPosition] = []
    for part in SCHEMAS:
        async with _context(part) as context, context.units.begin(tenant_id) as uow:
            tables = part_tables(part)
            stream, subscription = tables.stream, tables.subscription
            statement = (
                select(
                    subscription.c.consumer,
                    subscription.c.sent,
                    subscription.c.acked,
                    stream.c.last_position,
                )
                .join_from(
                    subscription,
                    stream,
                    (stream.c.tenant_id == subscription.c.tenant_id)
                    & (stream.c.split == subscription.c.split),
                )
                .where(subscription.c.tenant_id == tenant_id, stream.c.tenant_id == tenant_id)
                .order_by(subscription.c.consumer)
            )
            positions += [
                StreamPosition(part, row.consumer, row.sent, row.acked, row.last_position)
                for row in await uow.rows(statement)
            ]
    return positions


async def rebuild(tenant_id: TenantId, *, wait: bool) -> str:
    """Rebuild what segmentation knows of a tenant; the state of the job."""
    async with _context("segmentation") as context:
        async with context.units.begin(tenant_id) as uow:
            job_id = await Wiring.of(context).rebuilds(uow).start()
            await uow.commit()
        status = JobStatus.QUEUED
        while wait and status in (JobStatus.QUEUED, JobStatus.RUNNING):
            await asyncio.sleep(_POLL_SECONDS)
            async with context.units.begin(tenant_id) as uow:
                status = (await JobRepository(uow, schema="segmentation").get(job_id)).status
    return status


async def _open_ids(letters: DeadLetters, tenant_id: TenantId) -> list[UUID]:
    return [letter.id for letter in await letters.list_open(tenant_id)]


@asynccontextmanager
async def _context(part: str) -> AsyncIterator[PartContext[Any]]:
    context = build_context(settings_of(part))
    try:
        yield context
    finally:
        await context.close()


@asynccontextmanager
async def _dead_letters(part: str) -> AsyncIterator[DeadLetters]:
    async with _context(part) as context:
        yield DeadLetters(units=context.units, handlers=handlers_of(part, context))
