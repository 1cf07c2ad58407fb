"""Telling everything again: batch by batch, each a transaction, resumable at any point."""

from collections.abc import Sequence
from dataclasses import replace
from uuid import UUID

from services.customer.customers.repository import CustomerRepository
from services.customer.fields.repository import FieldRepository
from services.customer.orders.repository import OrderRepository
from services.customer.snapshots.repository import BEFORE_ALL, Phase, Snapshot, SnapshotRepository
from shared.contracts.customer import (
    CustomerSnapshotted,
    CustomFieldDefined,
    OrderSnapshotted,
    SnapshotCompleted,
)
from shared.db.unit_of_work import UnitOfWork

_NEXT_PHASE: dict[Phase, Phase] = {"customers": "orders", "orders": "done"}


class SnapshotWalk:
    """One step of a snapshot, inside one unit of work.

    What changes behind the walk is told by its own event, with a higher version than was told
    here; so nothing has to stand still meanwhile.
    """

    def __init__(self, uow: UnitOfWork, *, batch: int) -> None:
        self._uow = uow
        self._batch = batch
        self._snapshots = SnapshotRepository(uow)

    async def step(self) -> bool:
        """Tell the next batch of the oldest open snapshot; False when there is nothing to do."""
        current = await self._snapshots.lock_next()
        if current is None:
            return False
        told = await self._tell(current)
        if len(told) == self._batch:
            moved = replace(current, after_id=told[-1], told=current.told + len(told))
        else:
            moved = replace(
                current,
                phase=_NEXT_PHASE[current.phase],
                after_id=BEFORE_ALL,
                told=current.told + len(told),
            )
        await self._snapshots.move(moved)
        if moved.phase == "done":
            completed = SnapshotCompleted(requested_by=current.requested_by, job_id=current.id)
            self._uow.append(completed, key=current.id)
        return True

    async def _tell_marks(self) -> None:
        """Whose values are not for everybody is known before there are any."""
        for field in await FieldRepository(self._uow).marked():
            self._uow.append(CustomFieldDefined(field=field.state()), key=field.id)

    async def _tell(self, current: Snapshot) -> Sequence[UUID]:
        """The ids of what was told."""
        if current.phase == "customers":
            if current.after_id == BEFORE_ALL:
                await self._tell_marks()
            customers = await CustomerRepository(self._uow).walk(current.after_id, self._batch)
            for customer in customers:
                self._uow.append(CustomerSnapshotted(customer=customer.state()), key=customer.id)
            return [customer.id for customer in customers]
        orders = await OrderRepository(self._uow).walk(current.after_id, self._batch)
        for order in orders:
            self._uow.append(OrderSnapshotted(order=order.state()), key=order.customer_id)
        return [order.id for order in orders]
