"""What the receiver has to know of a connection, remembered for a few seconds."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gateway.cache import TimedCache
from gateway.connections.record import ConnectionRecord
from gateway.connections.repository import ConnectionRepository
from gateway.directory.directory import Directory
from gateway.platforms.platform import Platform
from shared.clock import Clock
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.security.keys import SecretBox


@dataclass(frozen=True, slots=True)
class HookConnection:
    """Whose connection it is, and what its platform signs with."""

    id: UUID
    tenant_id: TenantId
    platform: Platform
    secret: bytes
    previous_secret: bytes | None
    previous_until: datetime | None

    def secrets(self, now: datetime) -> tuple[bytes, ...]:
        """The secrets that are good at this moment."""
        if self.previous_secret and self.previous_until and self.previous_until > now:
            return self.secret, self.previous_secret
        return (self.secret,)


class HookConnections:
    """Finds platform connections by nothing but their id."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        directory: Directory,
        box: SecretBox,
        clock: Clock,
        cache_seconds: float,
    ) -> None:
        self._units = units
        self._directory = directory
        self._box = box
        self._known: TimedCache[UUID, HookConnection | None] = TimedCache(
            clock=clock, seconds=cache_seconds
        )

    async def find(self, connection_id: UUID) -> HookConnection | None:
        """The connection; None when it is unknown or switched off."""
        return await self._known.get(connection_id, lambda: self._load(connection_id))

    def forget(self, connection_id: UUID) -> None:
        """A connection was changed here."""
        self._known.forget(connection_id)

    async def _load(self, connection_id: UUID) -> HookConnection | None:
        tenant_id = await self._directory.find_one("connection", connection_id.hex)
        if tenant_id is None:
            return None
        async with self._units.begin(tenant_id) as uow:
            record = await ConnectionRepository(uow).find(connection_id)
        return self._opened(tenant_id, record) if record and record.active else None

    def _opened(self, tenant_id: TenantId, record: ConnectionRecord) -> HookConnection | None:
        if record.platform is None or record.sealed_secret is None:
            return None
        previous = record.sealed_previous_secret
        return HookConnection(
            id=record.id,
            tenant_id=tenant_id,
            platform=Platform(record.platform),
            secret=self._open(record.sealed_secret),
            previous_secret=self._open(previous) if previous else None,
            previous_until=record.previous_secret_until,
        )

    def _open(self, sealed: str) -> bytes:
        return self._box.open(sealed)["secret"].encode()
