"""What an operator can do about events that were set aside."""

from uuid import UUID

from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.stream.consumer_repository import ConsumerRepository, DeadLetter
from shared.stream.handlers import Applies


class DeadLetters:
    """Lists and replays the dead letters of one consumer."""

    def __init__(self, *, units: UnitsOfWork, handlers: Applies) -> None:
        self._units = units
        self._handlers = handlers
        self._repository = ConsumerRepository(units.schema)

    async def list_open(self, tenant_id: TenantId, *, limit: int = 100) -> list[DeadLetter]:
        """The oldest ones that were not replayed."""
        async with self._units.begin(tenant_id) as uow:
            return await self._repository.dead_letters(uow, limit)

    async def replay(self, tenant_id: TenantId, letter_id: UUID) -> bool:
        """Apply the event now, once; False when it is not (or no longer) set aside.

        Raises whatever the handler raises; the letter then stays where it was.
        """
        async with self._units.begin(tenant_id) as uow:
            letter = await self._repository.take_dead_letter(uow, letter_id)
            if letter is None:
                return False
            await self._handlers(uow, [letter.event])
            await uow.commit()
        return True
