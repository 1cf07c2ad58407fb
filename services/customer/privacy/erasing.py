"""Erasing a person: here at once, everywhere else by an event, and the receipt at the end."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, Row, Uuid, bindparam, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.customers.errors import CustomerIsErased
from services.customer.customers.models import customer
from services.customer.customers.record import COLUMNS, CustomerRecord
from services.customer.erased.identities import ErasedIdentities, IdentityDigests
from services.customer.families.family import Families
from services.customer.privacy.errors import LegalHoldInForce, ReceiptNotFound
from services.customer.privacy.models import erasure, erasure_part
from services.customer.privacy.people import PeopleRepository
from services.customer.privacy.receipts import ReceiptSigner
from services.customer.privacy.repository import PrivacyRepository
from shared.audit.trail import AuditEntry
from shared.contracts.customer import CustomerUpdated
from shared.contracts.privacy import CustomerErased, ErasureConfirmed
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.privacy.part import PartPrivacy
from shared.privacy.registry import Personal, declared
from shared.security.keys import SecretBox
from shared.settings import SCHEMAS

PARTS: Final = tuple(SCHEMAS)
"""Who has to confirm an erasure: every part of the house."""

_TENANT: Final = bindparam("tenant", type_=Uuid)
_NOW: Final = bindparam("now", type_=Instant)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))


def _make_anonymous() -> Any:
    """What the registry says of customers, and that it is so from now on."""
    said = declared(customer)
    assert isinstance(said, Personal)  # noqa: S101  (beside the table it says so)
    assert isinstance(said.erase, Mapping)  # noqa: S101
    return (
        update(customer)
        .where(
            customer.c.tenant_id == _TENANT,
            customer.c.id == func.any(_IDS),
            customer.c.erased_at.is_(None),
        )
        .values(
            **said.erase,
            restricted_at=None,
            erased_at=_NOW,
            updated_at=_NOW,
            version=customer.c.version + 1,
        )
        .returning(*[customer.c[name] for name in COLUMNS])
    )


_MAKE_ANONYMOUS: Final = _make_anonymous()
_ADD: Final = insert(erasure)
_ID: Final = bindparam("id", type_=Uuid)
_BY_ID: Final = select(erasure).where(erasure.c.tenant_id == _TENANT, erasure.c.id == _ID)
_LOCK: Final = _BY_ID.with_for_update()
_DONE: Final = (
    select(erasure.c.id)
    .where(
        erasure.c.tenant_id == _TENANT,
        erasure.c.customer_id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
        erasure.c.finished_at.is_not(None),
    )
    .order_by(erasure.c.ordered_at.desc())
    .limit(1)
)
_CONFIRM: Final = insert(erasure_part).on_conflict_do_nothing(
    index_elements=["tenant_id", "erasure_id", "part"]
)
_CONFIRMED: Final = (
    select(erasure_part)
    .where(erasure_part.c.tenant_id == _TENANT, erasure_part.c.erasure_id == _ID)
    .order_by(erasure_part.c.part)
)


class ErasureRepository:
    """Erasures and who has confirmed them, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def make_anonymous(self, member_ids: Sequence[UUID]) -> list[CustomerRecord]:
        """The records of a person as they are left; those that were erased before are left out."""
        asked = {"ids": list(member_ids), "now": self._uow.clock.now()}
        rows = await self._uow.rows(_MAKE_ANONYMOUS, {**self._tenant, **asked})
        return [CustomerRecord.of(row) for row in rows]

    async def add(self, columns: Mapping[str, Any]) -> None:
        """A new erasure."""
        await self._uow.execute(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def find(self, erasure_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]] | None:
        """The erasure, if there is one."""
        asked = {**self._tenant, "id": erasure_id}
        return await self._uow.one_or_none(_LOCK if lock else _BY_ID, asked)

    async def done(self, member_ids: Sequence[UUID]) -> UUID | None:
        """The newest erasure of a person that is done everywhere."""
        asked = {**self._tenant, "ids": list(member_ids)}
        found: UUID | None = await self._uow.scalar(_DONE, asked)
        return found

    async def confirm(self, event: ErasureConfirmed) -> None:
        """That a part is done; said again it changes nothing."""
        await self._uow.execute(
            _CONFIRM,
            {
                "tenant_id": self._uow.tenant_id,
                "erasure_id": event.erasure_id,
                "part": event.part,
                "confirmed_at": event.confirmed_at,
                "tables": [table.model_dump() for table in event.tables],
            },
        )

    async def confirmed(self, erasure_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
        """What the parts have said so far."""
        return await self._uow.rows(_CONFIRMED, {**self._tenant, "id": erasure_id})

    async def finish(self, erasure_id: UUID, receipt: Mapping[str, Any], signature: str) -> None:
        """Keep the receipt: it is done everywhere."""
        await self._uow.execute(
            update(erasure)
            .where(erasure.c.tenant_id == self._uow.tenant_id, erasure.c.id == erasure_id)
            .values(finished_at=self._uow.clock.now(), receipt=dict(receipt), signature=signature)
        )


class Erasing:
    """Erases people, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        privacy: PartPrivacy,
        secrets: SecretBox,
        digests: IdentityDigests,
    ) -> None:
        self._uow = uow
        self._privacy = privacy
        self._secrets = secrets
        self._gone = ErasedIdentities(uow, digests=digests)
        self._requests = PrivacyRepository(uow)
        self._erasures = ErasureRepository(uow)
        self._people = PeopleRepository(uow)

    async def check(self, customer_id: UUID) -> None:
        """Raises CustomerNotFound, LegalHoldInForce."""
        family = await Families(self._uow).of(customer_id)
        await self._forbid_held(family.member_ids)

    async def order(
        self, request_id: UUID | None, customer_id: UUID, *, run_id: UUID | None = None
    ) -> UUID:
        """Erase a person here and have everybody do so; the id of the erasure.

        Somebody's request has led to it, or a run of the retention rules.

        Raises CustomerNotFound, LegalHoldInForce, CustomerIsErased.
        """
        family = await Families(self._uow).lock(customer_id)
        await self._forbid_held(family.member_ids)
        person = await self._people.person(family.member_ids)
        identities = await self._people.identities(family.member_ids)
        erasure_id, now = new_id(), self._uow.clock.now()
        await self._gone.remember(identities, at=now)
        left = await self._erasures.make_anonymous(family.member_ids)
        if not left:
            raise CustomerIsErased
        at_once = await self._privacy.erase_person(self._uow, person)
        await self._erasures.add(
            {
                "id": erasure_id,
                "request_id": request_id,
                "run_id": run_id,
                "customer_id": family.root_id,
                "customer_ids": [str(member_id) for member_id in family.member_ids],
                "ordered_at": now,
            }
        )
        for record in left:
            if record.merged_into is None:
                self._uow.append(CustomerUpdated(customer=record.state()), key=record.id)
            # What was there before is just what must not be written down.
            self._uow.record(AuditEntry.of("customer", record.id))
        event = CustomerErased(
            erasure_id=erasure_id,
            customer_id=family.root_id,
            customer_ids=family.member_ids,
            erased_at=now,
            sealed=person.sealed(self._secrets),
            at_once=tuple(at_once),
        )
        self._uow.append(event, key=family.root_id)
        return erasure_id

    async def _forbid_held(self, member_ids: Sequence[UUID]) -> None:
        hold = await self._requests.hold(member_ids)
        if hold is not None:
            raise LegalHoldInForce(hold.id, hold.until)


class Receipts:
    """What the parts confirm, and the receipt that comes of it, inside one unit of work."""

    def __init__(self, *, uow: UnitOfWork, signer: ReceiptSigner) -> None:
        self._uow = uow
        self._signer = signer
        self._erasures = ErasureRepository(uow)

    async def confirm(self, event: ErasureConfirmed) -> UUID | None:
        """Keep that a part is done; the request of the erasure, if any, once all are."""
        row = await self._erasures.find(event.erasure_id, lock=True)
        if row is None or row.finished_at is not None:
            return None
        await self._erasures.confirm(event)
        confirmed = await self._erasures.confirmed(event.erasure_id)
        if {each.part for each in confirmed} < set(PARTS):
            return None
        receipt = {
            "erasure_id": str(row.id),
            "request_id": str(row.request_id) if row.request_id is not None else None,
            "tenant_id": str(self._uow.tenant_id),
            "customer_ids": list(row.customer_ids),
            "ordered_at": row.ordered_at.isoformat(),
            "finished_at": self._uow.clock.now().isoformat(),
            "parts": [
                {
                    "part": each.part,
                    "confirmed_at": each.confirmed_at.isoformat(),
                    "tables": each.tables,
                }
                for each in confirmed
            ],
        }
        await self._erasures.finish(row.id, receipt, self._signer.sign(receipt))
        request_id: UUID | None = row.request_id
        return request_id

    async def of(self, erasure_id: UUID | None) -> Row[*tuple[Any, ...]]:
        """The erasure with its receipt. Raises ReceiptNotFound."""
        row = await self._erasures.find(erasure_id) if erasure_id is not None else None
        if row is None or row.receipt is None:
            raise ReceiptNotFound
        return row
