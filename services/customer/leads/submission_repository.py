"""SQL of what people sent by forms."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Text, Uuid, bindparam, delete, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert

from services.customer.colleagues.sight import customer_is_seen
from services.customer.leads.errors import SubmissionNotFound
from services.customer.leads.models import lead_fingerprint, lead_submission
from services.customer.leads.submission import Submission
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST = (
    SortKey(lead_submission.c.received_at, "received_at", parse_instant, descending=True),
    SortKey(lead_submission.c.id, "id", parse_id, descending=True),
)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_ADD: Final = insert(lead_submission).returning(lead_submission.c.id)
_new: Final = insert(lead_fingerprint)
_CLAIM: Final = _new.on_conflict_do_update(
    index_elements=list(lead_fingerprint.primary_key.columns),
    set_={name: _new.excluded[name] for name in ("submission_id", "received_at")},
    where=lead_fingerprint.c.received_at < bindparam("since", type_=Instant),
).returning(lead_fingerprint.c.submission_id)
_CLAIMED: Final = select(lead_fingerprint.c.submission_id).where(
    lead_fingerprint.c.tenant_id == _TENANT,
    lead_fingerprint.c.form_id == bindparam("form_id", type_=Uuid),
    lead_fingerprint.c.digest == bindparam("digest", type_=lead_fingerprint.c.digest.type),
)
_old = (
    select(lead_fingerprint.c.form_id, lead_fingerprint.c.digest)
    .where(
        lead_fingerprint.c.tenant_id == _TENANT,
        lead_fingerprint.c.received_at < bindparam("before", type_=Instant),
    )
    .order_by(lead_fingerprint.c.received_at)
    .limit(bindparam("at_most", type_=Integer))
    .with_for_update(skip_locked=True)
    .cte("old")
)
_FORGET_FINGERPRINTS: Final = delete(lead_fingerprint).where(
    lead_fingerprint.c.tenant_id == _TENANT,
    lead_fingerprint.c.form_id == _old.c.form_id,
    lead_fingerprint.c.digest == _old.c.digest,
)
_FROM_ADDRESS: Final = select(func.count()).where(
    lead_submission.c.tenant_id == _TENANT,
    lead_submission.c.client_ip == bindparam("client_ip", type_=Text),
    lead_submission.c.received_at > bindparam("since", type_=Instant),
)
_BY_ID: Final = select(lead_submission).where(
    lead_submission.c.tenant_id == _TENANT, lead_submission.c.id == bindparam("id", type_=Uuid)
)
_LOCK: Final = _BY_ID.with_for_update()
_OF_FORM: Final = select(lead_submission).where(
    lead_submission.c.tenant_id == _TENANT,
    lead_submission.c.form_id == bindparam("form_id", type_=Uuid),
)


class SubmissionRepository:
    """Submissions, inside one unit of work. What a caller asks for is narrowed to their `sight`."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def claim(self, new: Submission, *, since: datetime) -> UUID:
        """The id of the submission that this is: its own, or that of the same sent after `since`.

        Whoever sends the same at the same time waits here, and finds it.
        """
        digest = new.digest()
        claimed: UUID | None = await self._uow.scalar(
            _CLAIM,
            {
                "tenant_id": self._uow.tenant_id,
                "form_id": new.form_id,
                "digest": digest,
                "submission_id": new.id,
                "received_at": new.received_at,
                "since": since,
            },
        )
        if claimed is not None:
            return claimed
        wanted = {**self._tenant, "form_id": new.form_id, "digest": digest}
        known: UUID = await self._uow.scalar(_CLAIMED, wanted)
        return known

    async def forget_fingerprints(self, *, before: datetime, at_most: int) -> int:
        """Delete the oldest of what tells a repetition, of before then; how many."""
        asked = {**self._tenant, "before": before, "at_most": at_most}
        return await self._uow.execute(_FORGET_FINGERPRINTS, asked)

    async def count_from(self, client_ip: str, *, since: datetime) -> int:
        """How many came from an address after a moment."""
        wanted = {**self._tenant, "client_ip": client_ip, "since": since}
        counted: int = await self._uow.scalar(_FROM_ADDRESS, wanted)
        return counted

    async def add(self, new: Submission) -> None:
        """Keep a submission."""
        await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **new.as_row()})

    async def get(
        self, submission_id: UUID, *, form_id: UUID | None = None, lock: bool = False
    ) -> Submission:
        """Raises SubmissionNotFound, also when it was sent by another form."""
        statement = _LOCK if lock else _BY_ID
        if self._sight is not None:
            statement = statement.where(_is_seen(self._sight))
        row = await self._uow.one_or_none(statement, {**self._asked(), "id": submission_id})
        if row is None or form_id not in {None, row.form_id}:
            raise SubmissionNotFound
        return Submission.of(row)

    async def save(self, submission_id: UUID, changes: Mapping[str, Any]) -> Submission:
        """The submission with these columns changed and its version grown."""
        statement = (
            update(lead_submission)
            .where(
                lead_submission.c.tenant_id == self._uow.tenant_id,
                lead_submission.c.id == submission_id,
            )
            .values(**changes, version=lead_submission.c.version + 1)
            .returning(*lead_submission.c)
        )
        return Submission.of(await self._uow.one(statement))

    async def page(
        self, form_id: UUID, status: str | None, request: PageRequest
    ) -> tuple[Sequence[Submission], str | None]:
        """A page of what a form has brought, newest first, and the next cursor."""
        statement = _OF_FORM
        if status is not None:
            statement = statement.where(lead_submission.c.status == status)
        if self._sight is not None:
            statement = statement.where(_is_seen(self._sight))
        rows = await self._uow.rows(
            page(statement, NEWEST_FIRST, request), {**self._asked(), "form_id": form_id}
        )
        kept, cursor = next_cursor(rows, NEWEST_FIRST, request.limit)
        return [Submission.of(row) for row in kept], cursor

    def _asked(self) -> Mapping[str, Any]:
        """The tenant, and who looks."""
        if self._sight is None:
            return self._tenant
        return {**self._tenant, **self._sight.parameters()}


def _is_seen(sight: Sight) -> Any:
    """What became of nobody yet is everybody's to look at."""
    customer_id = lead_submission.c.customer_id
    seen = customer_is_seen(customer_id, of_teams=sight.of_teams)
    return or_(customer_id.is_(None), seen)
