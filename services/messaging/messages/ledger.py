"""Planning messages, from wherever: written once, told of, and the sender woken."""

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from uuid import UUID

from services.messaging.messages.records import Message, PlannedMessage
from services.messaging.messages.repository import MessageRepository
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.observability.tracing import current_trace_parent

Wake = Callable[[TenantId], Awaitable[None]]


class Ledger:
    """What other slices do with messages inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, wake: Wake) -> None:
        self._uow = uow
        self._wake = wake
        self._messages = MessageRepository(uow)

    async def plan(self, messages: Iterable[PlannedMessage]) -> Sequence[UUID]:
        """Have messages sent when they are due; the ids of those that were not planned before."""
        trace = current_trace_parent()
        planned = [replace(message, trace=trace) if trace else message for message in messages]
        if not planned:
            return []
        new = await self._messages.plan(planned)
        if new:
            self._wake_sender()
        return new

    async def release_waiting(self, customer_ids: Sequence[UUID]) -> None:
        """Customers became known: what waited for them is due now."""
        if await self._messages.release_waiting(customer_ids):
            self._wake_sender()

    async def cancel(self, message_ids: Sequence[UUID], *, reason: str) -> list[Message]:
        """Call off what is still planned, and tell the others."""
        cancelled = await self._messages.cancel(message_ids, reason=reason)
        for message in cancelled:
            if (event := message.outcome_event()) is not None:
                self._uow.append(event, key=message.id, context=message.context)
        return cancelled

    async def cancel_planned(
        self, *, origin_ids: Sequence[UUID], customer_ids: Sequence[UUID], reason: str
    ) -> None:
        """Call off what these origins still have planned for these customers."""
        found = await self._messages.open_of(origin_ids=origin_ids, customer_ids=customer_ids)
        await self.cancel(found, reason=reason)

    async def pause(self, origin_id: UUID) -> None:
        """Hold back what an origin has planned and not sent."""
        await self._messages.pause(origin_id)

    async def resume(self, origin_id: UUID) -> None:
        """Let go what was held back."""
        await self._messages.resume(origin_id)
        self._wake_sender()

    def _wake_sender(self) -> None:
        tenant_id = self._uow.tenant_id
        self._uow.after_commit(lambda: self._wake(tenant_id))
