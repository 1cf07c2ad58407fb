"""Reminding of tasks: a sweep, since what is due is due whether or not anybody asks."""

from typing import Final

from services.customer.tasks.repository import TaskRepository
from shared.contracts.care import TaskDue, TaskState
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_task_reminders"
SWEEP_SECONDS: Final = 15.0
_BATCH: Final = 200


class TaskReminders:
    """Reminds once of every open task whose time to remind has come."""

    def __init__(self, units: UnitsOfWork) -> None:
        self._units = units

    async def sweep(self) -> None:
        """Remind in every shop that has something to be reminded of."""
        await in_every_tenant(self._units, LISTING, self.sweep_tenant)

    async def sweep_tenant(self, tenant_id: TenantId) -> int:
        """Remind in one shop; of how many. The event and the note of it are one transaction."""
        reminded = 0
        while True:
            async with self._units.begin(tenant_id) as uow:
                rows = await TaskRepository(uow).take_reminders(at_most=_BATCH)
                for row in rows:
                    known = {name: getattr(row, name, None) for name in TaskState.model_fields}
                    uow.append(TaskDue(task=TaskState(**{**known, "task_id": row.id})), key=row.id)
                await uow.commit()
            reminded += len(rows)
            if len(rows) < _BATCH:
                return reminded


def task_reminders(reminders: TaskReminders) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("tasks.remind", SWEEP_SECONDS, reminders.sweep)
