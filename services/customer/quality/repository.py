"""SQL of data quality."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Row, Text, Uuid, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.addresses.models import customer_address
from services.customer.customers.conditions import IS_SOMEBODY
from services.customer.customers.models import customer, customer_identity
from services.customer.customers.sight import is_seen
from services.customer.interactions.models import customer_care
from services.customer.quality.models import (
    customer_problem,
    customer_quality,
    quality_policy,
    quality_tally,
)
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id
from shared.db.prepared import Rows
from shared.db.rows import RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

OLDEST_FIRST: Final = (SortKey(customer_problem.c.customer_id, "customer_id", parse_id),)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_IDS: Final = bindparam("ids", type_=ARRAY(Uuid))
_AFTER_ID: Final = bindparam("after_id", type_=Uuid)
_UNTIL_ID: Final = bindparam("until_id", type_=Uuid)
_PEOPLE: Final = select(
    customer.c.id,
    customer.c.kind,
    customer.c.name,
    customer.c.email,
    customer.c.phone,
    customer.c.birth_date,
    customer.c.profile,
    customer.c.consents,
    customer.c.source,
    customer.c.last_order_at,
    customer.c.updated_at,
).where(customer.c.tenant_id == _TENANT, customer.c.id == func.any(_IDS), *IS_SOMEBODY)
_WALK: Final = (
    select(customer.c.id)
    .where(
        customer.c.tenant_id == _TENANT,
        customer.c.id > _AFTER_ID,
        *IS_SOMEBODY,
    )
    .order_by(customer.c.id)
    .limit(bindparam("at_most", type_=Integer))
)
_CHANGED_SINCE: Final = (
    customer.c.tenant_id == _TENANT,
    customer.c.updated_at > bindparam("since", type_=Instant),
    customer.c.updated_at <= bindparam("until", type_=Instant),
)
_CHANGED: Final = select(customer.c.id).where(*_CHANGED_SINCE)
# Until when they are so many; who was changed at one moment is judged together.
_SO_MANY: Final = (
    select(customer.c.updated_at)
    .where(*_CHANGED_SINCE)
    .order_by(customer.c.updated_at, customer.c.id)
    .offset(bindparam("before", type_=Integer))
    .limit(1)
)
_IDENTITIES: Final = (
    select(
        customer_identity.c.customer_id,
        customer_identity.c.kind,
        customer_identity.c.value,
        customer_identity.c.original,
        customer_identity.c.standing,
    )
    .where(
        customer_identity.c.tenant_id == _TENANT,
        customer_identity.c.customer_id == func.any(_IDS),
    )
    .order_by(customer_identity.c.created_at, customer_identity.c.id)
)
_ADDRESSES: Final = (
    select(
        customer_address.c.customer_id,
        customer_address.c.country,
        customer_address.c.vn63_ward_code,
        customer_address.c.vn34_province_code,
        customer_address.c.vn34_ward_code,
        customer_address.c.vn34_ward_is_certain,
        customer_address.c.is_primary,
    )
    .where(
        customer_address.c.tenant_id == _TENANT,
        customer_address.c.customer_id == func.any(_IDS),
    )
    .order_by(customer_address.c.created_at, customer_address.c.id)
)
_CARE: Final = select(customer_care.c.customer_id, customer_care.c.last_interaction_at).where(
    customer_care.c.tenant_id == _TENANT, customer_care.c.customer_id == func.any(_IDS)
)
_JUDGED: Final = select(customer_quality).where(
    customer_quality.c.tenant_id == _TENANT, customer_quality.c.customer_id == func.any(_IDS)
)
_JUDGED_BETWEEN: Final = select(customer_quality.c.customer_id).where(
    customer_quality.c.tenant_id == _TENANT,
    customer_quality.c.customer_id > _AFTER_ID,
    customer_quality.c.customer_id <= _UNTIL_ID,
)
_rows = RowsParameter(
    "row",
    customer_quality,
    ("customer_id", "source", "score", "problems", "rewritings", "judged_at"),
)
_given = insert(customer_quality).from_select(
    ["tenant_id", *_rows.columns], select(_TENANT, *_rows.source.c)
)
_KEEP: Final = _given.on_conflict_do_update(
    index_elements=["tenant_id", "customer_id"],
    set_={name: _given.excluded[name] for name in _rows.columns if name != "customer_id"},
)
_FORGET: Final = delete(customer_quality).where(
    customer_quality.c.tenant_id == _TENANT, customer_quality.c.customer_id == func.any(_IDS)
)
_problems = RowsParameter("problem", customer_problem, ("problem", "customer_id", "source"))
_ADD_PROBLEMS: Final = (
    insert(customer_problem)
    .from_select(["tenant_id", *_problems.columns], select(_TENANT, *_problems.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "problem", "customer_id"])
)
_FORGET_PROBLEMS: Final = delete(customer_problem).where(
    customer_problem.c.tenant_id == _TENANT, customer_problem.c.customer_id == func.any(_IDS)
)
_sums = RowsParameter("sum", quality_tally, ("source", "measure", "amount"))
_moved = insert(quality_tally).from_select(
    ["tenant_id", *_sums.columns], select(_TENANT, *_sums.source.c)
)
_MOVE_SUMS: Final = _moved.on_conflict_do_update(
    index_elements=["tenant_id", "source", "measure"],
    set_={"amount": quality_tally.c.amount + _moved.excluded.amount},
)
_SUMS: Final = (
    select(quality_tally.c.source, quality_tally.c.measure, quality_tally.c.amount)
    .where(quality_tally.c.tenant_id == _TENANT, quality_tally.c.amount != 0)
    .order_by(quality_tally.c.source, quality_tally.c.measure)
)
_with_problem: Final = (
    select(
        customer_problem.c.customer_id,
        customer.c.code,
        customer.c.name,
        customer_quality.c.source,
        customer_quality.c.score,
        customer_quality.c.problems,
        customer_quality.c.judged_at,
    )
    .join(
        customer,
        (customer.c.tenant_id == _TENANT) & (customer.c.id == customer_problem.c.customer_id),
    )
    .join(
        customer_quality,
        (customer_quality.c.tenant_id == _TENANT)
        & (customer_quality.c.customer_id == customer_problem.c.customer_id),
    )
    .where(
        customer_problem.c.tenant_id == _TENANT,
        customer_problem.c.problem == bindparam("problem", type_=Text),
    )
)
_POLICY: Final = select(quality_policy).where(quality_policy.c.tenant_id == _TENANT)
_LOCK_POLICY: Final = _POLICY.with_for_update()
_ADD_POLICY: Final = insert(quality_policy).on_conflict_do_nothing(index_elements=["tenant_id"])


class QualityRepository:
    """Data quality of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def people(self, root_ids: Collection[UUID]) -> Rows:
        """What their rows say."""
        return await self._of(_PEOPLE, root_ids)

    async def identities(self, member_ids: Collection[UUID]) -> Rows:
        """What records are recognised by, the oldest first."""
        return await self._of(_IDENTITIES, member_ids)

    async def addresses(self, member_ids: Collection[UUID]) -> Rows:
        """Where records are, the oldest first."""
        return await self._of(_ADDRESSES, member_ids)

    async def care(self, member_ids: Collection[UUID]) -> Rows:
        """When records were last in touch."""
        return await self._of(_CARE, member_ids)

    async def walk(self, after_id: UUID, at_most: int) -> Sequence[UUID]:
        """Those who stand for a person and whose ids follow `after_id`, in that order."""
        parameters = {**self._tenant, "after_id": after_id, "at_most": at_most}
        return await self._uow.scalars(_WALK, parameters)

    async def judged(self, customer_ids: Collection[UUID]) -> Rows:
        """What was last judged of these."""
        return await self._of(_JUDGED, customer_ids)

    async def judged_between(self, after_id: UUID, until_id: UUID) -> Sequence[UUID]:
        """Of whom there is a judgement among the ids after one, up to another."""
        parameters = {**self._tenant, "after_id": after_id, "until_id": until_id}
        return await self._uow.scalars(_JUDGED_BETWEEN, parameters)

    async def keep(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Write judgements, and the problems by which they are found."""
        ids = [row["customer_id"] for row in rows]
        await self._uow.execute(_KEEP, {**self._tenant, **_rows.values(rows)})
        await self._uow.execute(_FORGET_PROBLEMS, {**self._tenant, "ids": ids})
        problems = (
            {"problem": problem, "customer_id": row["customer_id"], "source": row["source"]}
            for row in rows
            for problem in row["problems"]
        )
        await self._uow.execute(_ADD_PROBLEMS, {**self._tenant, **_problems.values(problems)})

    async def forget(self, customer_ids: Collection[UUID]) -> None:
        """Nobody is judged under these ids any more."""
        ids = {**self._tenant, "ids": list(customer_ids)}
        await self._uow.execute(_FORGET, ids)
        await self._uow.execute(_FORGET_PROBLEMS, ids)

    async def move_sums(self, moved: Iterable[Mapping[str, Any]]) -> None:
        """Add to the sums, each named once."""
        await self._uow.execute(_MOVE_SUMS, {**self._tenant, **_sums.values(moved)})

    async def sums(self) -> Rows:
        """All sums that are not nothing, by source."""
        return await self._uow.rows(_SUMS, self._tenant)

    async def page_with(
        self, problem: str, *, source: str | None, request: PageRequest
    ) -> tuple[Rows, str | None]:
        """A page of those who have a problem and whom the caller sees, and the next cursor."""
        wanted = _with_problem
        parameters: dict[str, Any] = {**self._tenant, "problem": problem}
        if source is not None:
            wanted = wanted.where(customer_problem.c.source == source)
        if self._sight is not None:
            wanted = wanted.where(is_seen(of_teams=self._sight.of_teams))
            parameters |= self._sight.parameters()
        rows = await self._uow.rows(page(wanted, OLDEST_FIRST, request), parameters)
        return next_cursor(rows, OLDEST_FIRST, request.limit)

    async def policy(self) -> Row[*tuple[Any, ...]] | None:
        """What the shop has decided, if anybody of it was ever judged."""
        return await self._uow.one_or_none(_POLICY, self._tenant)

    async def lock_policy(self) -> Row[*tuple[Any, ...]]:
        """The same; nobody else judges until the commit."""
        row = await self._uow.one_or_none(_LOCK_POLICY, self._tenant)
        if row is not None:
            return row
        now = self._uow.clock.now()
        first = {"tenant_id": self._uow.tenant_id, "weights": {}, "version": 0}
        # Who begins today is judged today; the first review is that of the next night.
        first |= {"reviewed_on": now.date(), "created_at": now, "updated_at": now}
        await self._uow.execute(_ADD_POLICY, first)
        return await self._uow.one(_LOCK_POLICY, self._tenant)

    async def decide(self, weights: Mapping[str, int]) -> Row[*tuple[Any, ...]]:
        """The locked policy with other weights."""
        statement = (
            update(quality_policy)
            .where(quality_policy.c.tenant_id == self._uow.tenant_id)
            .values(
                weights=dict(weights),
                updated_at=self._uow.clock.now(),
                version=quality_policy.c.version + 1,
            )
            .returning(*quality_policy.c)
        )
        return await self._uow.one(statement)

    async def changed(
        self, since: datetime, until: datetime, at_most: int
    ) -> tuple[Sequence[UUID], datetime]:
        """About so many who were changed since then, the first ones, and until when they were."""
        asked = {**self._tenant, "since": since, "until": until}
        until = await self._uow.scalar(_SO_MANY, {**asked, "before": at_most - 1}) or until
        return await self._uow.scalars(_CHANGED, {**asked, "until": until}), until

    async def mark_judged(self, until: datetime) -> None:
        """Whoever was changed until then was judged."""
        await self._uow.execute(
            update(quality_policy)
            .where(quality_policy.c.tenant_id == self._uow.tenant_id)
            .values(judged_until=until)
        )

    async def put_off_review(self, due_at: datetime) -> None:
        """Nobody need look whether it is time for the review of a night before then."""
        await self._uow.execute(
            update(quality_policy)
            .where(quality_policy.c.tenant_id == self._uow.tenant_id)
            .values(review_due_at=due_at)
        )

    async def mark_review(self, day: date) -> None:
        """Everybody was, or is being, judged anew on this day."""
        await self._uow.execute(
            update(quality_policy)
            .where(quality_policy.c.tenant_id == self._uow.tenant_id)
            .values(reviewed_on=day)
        )

    async def _of(self, statement: Any, ids: Collection[UUID]) -> Rows:
        return await self._uow.rows(statement, {**self._tenant, "ids": list(ids)})
