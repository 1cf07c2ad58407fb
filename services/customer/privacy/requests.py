"""Requests by law as this service keeps them, and what it does at once of its own."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final, get_args
from uuid import UUID

from sqlalchemy import Row

from services.customer.consents.recording import (
    Answer,
    AnyChannel,
    ConsentRecorder,
    Purpose,
)
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.repository import CustomerRepository
from services.customer.families.family import Families, Family
from services.customer.privacy.laws import deadlines, law_of
from services.customer.privacy.repository import PrivacyRepository
from services.customer.privacy.schemas import PrivacyRequestCreate, RequestChannel
from services.customer.privacy.steps import AT_ONCE
from services.customer.privacy.views import request_state
from services.customer.tenants.shops import Shop
from shared.contracts.privacy import (
    ErasedPersonDelivered,
    PrivacyRequestReceived,
    PrivacyRequestUpdated,
)
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

Request = Row[*tuple[Any, ...]]
REMIND_BEFORE: Final = timedelta(days=3)
_CHANNELS: Final[Mapping[Purpose, tuple[AnyChannel, ...]]] = {
    "marketing": ("email", "sms", "zalo", "call"),
    "care": ("email", "sms", "zalo", "call"),
    "profiling": ("any",),
    "sharing": ("any",),
}


class PrivacyRequests:
    """Requests as this service keeps them, whoever brought them, inside one unit of work."""

    def __init__(self, *, uow: UnitOfWork, shop: Shop) -> None:
        self._uow = uow
        self._shop = shop
        self._requests = PrivacyRepository(uow)

    async def open(
        self,
        given: PrivacyRequestCreate,
        *,
        channel: RequestChannel,
        opened_by: str,
        identity_check: Mapping[str, Any] | None = None,
        source_key: str | None = None,
    ) -> Request | None:
        """A new request with its due dates, told to others; None for a repeated delivery.

        What protects the person is done at once.
        """
        if given.customer_id is not None:
            # Whoever anonymises them by a rule looks for requests once it has locked them.
            await Families(self._uow).lock(given.customer_id)
        now = self._uow.clock.now()
        received_at = given.received_at or now
        law = given.law or law_of(self._shop.country)
        due = deadlines(
            law,
            given.kind,
            received_at,
            with_processor=given.with_processor,
            timezone=self._shop.timezone,
            country=self._shop.country,
        )
        row = await self._requests.add(
            {
                **given.model_dump(exclude={"received_at", "law"}),
                "id": new_id(),
                "status": "received",
                "channel": channel,
                "law": law,
                "identity_check": dict(identity_check) if identity_check else None,
                "received_at": received_at,
                "acknowledge_by": due.acknowledge_by,
                "due_at": due.due_at,
                "remind_at": max(due.due_at - REMIND_BEFORE, now),
                "source_key": source_key,
                "opened_by": opened_by,
                "created_at": now,
                "updated_at": now,
                "version": 1,
            }
        )
        if row is None:
            return None
        self._uow.append(PrivacyRequestReceived(request=request_state(row)), key=row.id)
        if row.kind in AT_ONCE and row.customer_id is not None:
            await self._obey(row)
            return await self.close(row, "completed")
        return row

    async def change(self, row: Request, **changes: Any) -> Request:
        """The request after a change that others are told of."""
        after = await self._requests.save(row.id, changes)
        self._uow.append(PrivacyRequestUpdated(request=request_state(after)), key=after.id)
        return after

    async def close(self, row: Request, status: str, *, outcome: str | None = None) -> Request:
        """The request at its end.

        The delivery by which a platform asked for an erasure names the person itself: once that is
        done, it is not to be kept either.
        """
        now = self._uow.clock.now()
        of_person = row.kind == "erasure" and row.source_key is not None and row.job_id is None
        if of_person and status == "completed":
            asked = UUID(row.source_key)
            self._uow.append(ErasedPersonDelivered(delivery_ids=(asked,)), key=asked)
        return await self.change(
            row,
            status=status,
            closed_at=now,
            acknowledged_at=row.acknowledged_at or now,
            outcome=outcome,
        )

    async def complete_with(self, row: Request, erasure_id: UUID) -> Request:
        """The request at its end, by an erasure that was done before."""
        return await self.close(await self.change(row, erasure_id=erasure_id), "completed")

    async def _obey(self, row: Request) -> None:
        """Restrict, or take back what was agreed to, for every record of the person."""
        family = await Families(self._uow).lock(row.customer_id)
        changes = CustomerChanges(self._uow)
        await changes.lock(family.member_ids)
        if row.kind == "restriction":
            since = changes[family.root_id].restricted_at or self._uow.clock.now()
            changes.apply(family.root_id, {"restricted_at": since})
            await restrict_members(self._uow, family, since)
        else:
            purposes: tuple[Purpose, ...] = tuple(row.purposes) or get_args(Purpose)
            answers = [
                Answer(
                    customer_id=member_id,
                    purpose=purpose,
                    channel=channel,
                    status="withdrawn",
                    at=self._uow.clock.now(),
                    source="privacy_request",
                    proof={"privacy_request_id": str(row.id), "kind": row.kind},
                )
                for member_id in family.member_ids
                for purpose in purposes
                for channel in _CHANNELS[purpose]
            ]
            await ConsentRecorder(uow=self._uow, changes=changes).record(answers)
        await changes.save()


async def restrict_members(uow: UnitOfWork, family: Family, since: datetime | None) -> None:
    """Have it hold for the merged records, too: some day they may stand for themselves again."""
    customers = CustomerRepository(uow)
    members = [each for each in family.member_ids if each != family.root_id]
    if members:
        await customers.save(
            [
                replace(record, restricted_at=since, version=record.version + 1)
                for record in await customers.records(members)
            ]
        )
