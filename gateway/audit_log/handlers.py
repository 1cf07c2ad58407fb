"""The audit log hears from every part of the house."""

from collections.abc import Sequence

from gateway.audit_log.repository import AuditLogRepository
from shared.contracts.audit import AuditRecorded
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def keep_records(uow: UnitOfWork, events: Sequence[Envelope]) -> None:
    """Add what was done."""
    told = [
        (event.source, record) for event in events for record in event.read(AuditRecorded).records
    ]
    await AuditLogRepository(uow).add(told)
