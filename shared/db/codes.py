"""Human codes (KH000123): per-tenant counters, reserved in blocks, gaps allowed.

A counter locked until commit would serialise every insert of its tenant; so a block is reserved
in a transaction of its own and handed out from memory. A restart loses the rest of a block.

Who asks often holds a connection already. So blocks are reserved over connections that serve
nothing else: otherwise, when all of a pool's are in the hands of such askers, nobody goes on.
"""

import asyncio
from dataclasses import dataclass

from sqlalchemy import text

from shared.db.engine import POOL_PATIENCE_SECONDS
from shared.db.unit_of_work import UnitsOfWork
from shared.errors import Unavailable
from shared.ids import TenantId

_FIRST_BLOCK = 4
_LARGEST_BLOCK = 256


@dataclass(slots=True)
class _Block:
    next_value: int
    end: int
    size: int


class CodeAllocator:
    """Hands out the next numbers of per-tenant counters of one part, in one process.

    `units` must have connections of their own.
    """

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units
        self._blocks: dict[tuple[TenantId, str], _Block] = {}
        self._locks: dict[tuple[TenantId, str], asyncio.Lock] = {}
        self._reserve = text(
            f"""
            INSERT INTO {units.schema}.code_counter (tenant_id, kind, next_value)
            VALUES (:tenant, :kind, 1 + :size)
            ON CONFLICT (tenant_id, kind)
            DO UPDATE SET next_value = code_counter.next_value + (excluded.next_value - 1)
            RETURNING next_value - :size AS first
            """
        )

    async def take(self, tenant_id: TenantId, kind: str, count: int = 1) -> range:
        """`count` consecutive numbers; the rest of a block too short for them is given up.

        Raises Unavailable when none can be had soon: who asks may hold locks meanwhile.
        """
        key = (tenant_id, kind)
        block = self._blocks.get(key)
        if block is None or block.end - block.next_value < count:
            try:
                async with asyncio.timeout(POOL_PATIENCE_SECONDS):
                    block = await self._longer_block(key, count)
            except TimeoutError as error:
                raise Unavailable from error
        first = block.next_value
        block.next_value += count
        return range(first, first + count)

    async def close(self) -> None:
        """Close the connections."""
        await self._units.close()

    async def _longer_block(self, key: tuple[TenantId, str], count: int) -> _Block:
        async with self._locks.setdefault(key, asyncio.Lock()):
            block = self._blocks.get(key)
            if block is None or block.end - block.next_value < count:
                block = self._blocks[key] = await self._reserve_block(key, block, count)
            return block

    async def _reserve_block(
        self, key: tuple[TenantId, str], previous: _Block | None, count: int
    ) -> _Block:
        # Blocks grow with use, so that a small shop's codes have few gaps and a busy one's
        # reservations are rare.
        size = min(previous.size * 4, _LARGEST_BLOCK) if previous else _FIRST_BLOCK
        size = max(size, count)
        tenant_id, kind = key
        async with self._units.begin(tenant_id) as uow:
            first = int(
                await uow.scalar(self._reserve, {"tenant": tenant_id, "kind": kind, "size": size})
            )
            await uow.commit()
        return _Block(first, first + size, size)
