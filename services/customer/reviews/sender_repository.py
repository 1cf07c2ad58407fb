"""SQL of where reviews come from: what was sent before, and how much from one address."""

from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy import Integer, LargeBinary, Text, Uuid, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.reviews.models import review, review_fingerprint
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_FROM_ADDRESS: Final = select(func.count()).where(
    review.c.tenant_id == _TENANT,
    review.c.client_ip == bindparam("sender", type_=Text),
    review.c.created_at > bindparam("since", type_=Instant),
)
_new: Final = insert(review_fingerprint)
_CLAIM: Final = _new.on_conflict_do_update(
    index_elements=list(review_fingerprint.primary_key.columns),
    set_={name: _new.excluded[name] for name in ("review_id", "received_at")},
    where=review_fingerprint.c.received_at < bindparam("since", type_=Instant),
).returning(review_fingerprint.c.review_id)
_CLAIMED: Final = select(review_fingerprint.c.review_id).where(
    review_fingerprint.c.tenant_id == _TENANT,
    review_fingerprint.c.digest == bindparam("wanted_digest", type_=LargeBinary),
)

_old_fingerprints: Final = (
    select(review_fingerprint.c.digest)
    .where(
        review_fingerprint.c.tenant_id == _TENANT,
        review_fingerprint.c.received_at < bindparam("before", type_=Instant),
    )
    .order_by(review_fingerprint.c.received_at)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_FORGET_FINGERPRINTS: Final = delete(review_fingerprint).where(
    review_fingerprint.c.tenant_id == _TENANT,
    review_fingerprint.c.digest == _old_fingerprints.c.digest,
)
_old_addresses: Final = (
    select(review.c.id)
    .where(
        review.c.tenant_id == _TENANT,
        review.c.client_ip.is_not(None),
        review.c.created_at < bindparam("before", type_=Instant),
    )
    .order_by(review.c.created_at, review.c.id)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_FORGET_ADDRESSES: Final = (
    update(review)
    .where(review.c.tenant_id == _TENANT, review.c.id == _old_addresses.c.id)
    .values(client_ip=None)
)


class SenderRepository:
    """What is remembered for a while of those who send reviews, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def claim(self, digest: bytes, *, review_id: UUID, at: datetime, since: datetime) -> UUID:
        """The id of the review that this is: its own, or that of the same sent after `since`.

        Whoever sends the same at the same time waits here, and finds it.
        """
        row = {"digest": digest, "review_id": review_id, "received_at": at}
        claimed: UUID | None = await self._uow.scalar(
            _CLAIM, {"tenant_id": self._uow.tenant_id, **row, "since": since}
        )
        if claimed is not None:
            return claimed
        wanted = {**self._tenant, "wanted_digest": digest}
        known: UUID = await self._uow.scalar(_CLAIMED, wanted)
        return known

    async def count_from(self, client_ip: str, *, since: datetime) -> int:
        """How many came from an address after a moment."""
        wanted = {**self._tenant, "sender": client_ip, "since": since}
        return int(await self._uow.scalar(_FROM_ADDRESS, wanted))

    async def forget_fingerprints(self, *, before: datetime, at_most: int) -> int:
        """Delete the oldest of what tells a repetition, of before then; how many."""
        asked = {**self._tenant, "before": before, "at_most": at_most}
        return await self._uow.execute(_FORGET_FINGERPRINTS, asked)

    async def forget_addresses(self, *, before: datetime, at_most: int) -> int:
        """Empty where the oldest reviews of before then were sent from; how many."""
        asked = {**self._tenant, "before": before, "at_most": at_most}
        return await self._uow.execute(_FORGET_ADDRESSES, asked)
