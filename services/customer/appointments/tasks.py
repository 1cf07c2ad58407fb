"""Reminding of appointments, once each, before they begin."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import Row

from services.customer.appointments.repository import AppointmentRepository
from shared.contracts.care import AppointmentDue, AppointmentState
from shared.db.sweeps import in_every_tenant
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId
from shared.queue.worker import Periodic

LISTING: Final = "tenants_with_appointment_reminders"
SWEEP_SECONDS: Final = 15.0
_BATCH: Final = 200


class AppointmentReminders:
    """Reminds once of every planned appointment that comes near."""

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
                appointments = AppointmentRepository(uow)
                rows = await appointments.take_reminders(at_most=_BATCH)
                due = [row for row in rows if row.reminded_at is not None]
                willing = await appointments.willing([row.customer_id for row in due])
                for row in due:
                    known = {n: getattr(row, n, None) for n in AppointmentState.model_fields}
                    known["appointment_id"] = row.id
                    known["customer_channels"] = allowed_channels(
                        willing[row.customer_id], uow.clock.now()
                    )
                    event = AppointmentDue(appointment=AppointmentState(**known))
                    uow.append(event, key=row.id)
                await uow.commit()
            reminded += len(due)
            if len(rows) < _BATCH:
                return reminded


def allowed_channels(person: Row[*tuple[Any, ...]], now: datetime) -> tuple[str, ...]:
    """The channels by which a customer wants to hear of care: only those that they said yes to.

    While they have the use of their data restricted nothing is written to them.
    """
    if person.restricted_at is not None:
        return ()
    return tuple(
        consent["channel"]
        for consent in person.consents
        if consent["purpose"] == "care" and consent["status"] == "granted" and _counts(consent, now)
    )


def _counts(consent: Mapping[str, Any], now: datetime) -> bool:
    expires_at = consent.get("expires_at")
    return expires_at is None or now < datetime.fromisoformat(expires_at)


def appointment_reminders(reminders: AppointmentReminders) -> Periodic:
    """The sweep as the worker repeats it."""
    return Periodic("appointments.remind", SWEEP_SECONDS, reminders.sweep)
