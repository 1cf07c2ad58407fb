"""What one process of a part holds for all its requests and jobs, made once at start-up."""

from dataclasses import dataclass
from typing import Generic, TypeVar

from shared.audit.reads import ReadLog
from shared.clock import Clock, SystemClock
from shared.db.codes import CodeAllocator
from shared.db.engine import create_engine
from shared.db.unit_of_work import UnitsOfWork
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
        await self.units.close()


def build_context(settings: SettingsT, clock: Clock | None = None) -> PartContext[SettingsT]:
    """The context of a process of `settings.part`; connects lazily."""
    clock = clock or SystemClock()
    engine = create_engine(
        settings.database_url,
        pool_size=settings.pool_size,
        application=f"careloop-{settings.part}",
        other_passwords=settings.other_passwords,
    )
    units = UnitsOfWork(
        engine=engine,
        schema=settings.part,
        clock=clock,
        keep_connections=settings.pool_size,
    )
    return PartContext(
        settings=settings,
        clock=clock,
        units=units,
        queue=Queue(settings.redis_url),
        principals=PrincipalTokens(root_key=settings.root_key, clock=clock),
        codes=CodeAllocator(units),
        reads=ReadLog(units.begin),
    )
