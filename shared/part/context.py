"""What one process of a part holds for all its requests and jobs, made once at start-up."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.audit.reads import ReadLog
from shared.clock import Clock, SystemClock
from shared.db.codes import CodeAllocator
from shared.db.engine import create_engine
from shared.db.unit_of_work import UnitsOfWork
from shared.observability.pools import POOLS
from shared.queue.producer import Queue
from shared.security.principal import PrincipalTokens
from shared.settings import PartSettings

SettingsT = TypeVar("SettingsT", bound=PartSettings)
SettingsT_co = TypeVar("SettingsT_co", bound=PartSettings, covariant=True)


@dataclass(frozen=True, slots=True)
class PartContext(Generic[SettingsT_co]):
    """The collaborators that every unit of work of a process shares."""

    settings: SettingsT_co
    clock: Clock
    units: UnitsOfWork
    queue: Queue
    principals: PrincipalTokens
    codes: CodeAllocator
    reads: ReadLog

    async def close(self) -> None:
        """Close connections."""
        await self.queue.close()
        await self.codes.close()
        await self.units.close()


def build_context(settings: SettingsT, clock: Clock | None = None) -> PartContext[SettingsT]:
    """The context of a process of `settings.part`; connects lazily."""
    clock = clock or SystemClock()
    units = _units(settings, clock, pool_size=settings.pool_size)
    POOLS.watch(settings.part, units)
    return PartContext(
        settings=settings,
        clock=clock,
        units=units,
        queue=Queue(settings.redis_url),
        principals=PrincipalTokens(root_key=settings.root_key, clock=clock),
        # Codes are asked for by work that holds a connection: if reserving them needed another
        # of the same pool, a crowd would wait for itself.
        codes=CodeAllocator(_units(settings, clock, pool_size=1)),
        reads=ReadLog(units.begin),
    )


def _units(settings: PartSettings, clock: Clock, *, pool_size: int) -> UnitsOfWork:
    engine = create_engine(
        settings.database_url,
        pool_size=pool_size,
        application=f"careloop-{settings.part}",
        other_passwords=settings.other_passwords,
    )
    return UnitsOfWork(engine=engine, schema=settings.part, clock=clock, keep_connections=pool_size)
