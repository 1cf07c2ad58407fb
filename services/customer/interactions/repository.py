"""SQL of interactions and of who was in touch when."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    ARRAY,
    ColumnElement,
    Row,
    Select,
    Uuid,
    bindparam,
    case,
    func,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import insert

from services.customer.colleagues.repository import COLLEAGUES
from services.customer.customers.models import customer
from services.customer.customers.repository import CustomerRepository
from services.customer.families.seen import person_is_seen
from services.customer.interactions.errors import InteractionNotFound
from services.customer.interactions.models import customer_care, interaction
from shared.db.merged import Source, merged_page
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.security.sight import Sight

NEWEST_FIRST: Final = (
    SortKey(interaction.c.started_at, "started_at", parse_instant, descending=True),
    SortKey(interaction.c.id, "id", parse_id, descending=True),
)

_TENANT: Final = bindparam("tenant", type_=Uuid)
_VIEWER: Final = bindparam("viewer", type_=Uuid)
_MEMBERS: Final = bindparam("members", type_=ARRAY(Uuid))
_ADD: Final = insert(interaction).returning(*interaction.c)
_BY_ID: Final = select(interaction).where(
    interaction.c.tenant_id == _TENANT, interaction.c.id == bindparam("id", type_=Uuid)
)
_LOCK: Final = _BY_ID.with_for_update()

_touches = RowsParameter(
    "touch", customer_care, [c.name for c in customer_care.c if c.name != "tenant_id"]
)
_of_known_customers = (
    select(*_touches.source.c)
    .join_from(
        _touches.source,
        customer,
        (customer.c.tenant_id == _TENANT) & (customer.c.id == _touches.source.c.customer_id),
    )
    .order_by(_touches.source.c.customer_id)
    .cte("of_known_customers")
    .prefix_with("MATERIALIZED")
)


def _touch() -> Any:
    """Rows that are newer win; what is counted adds up."""
    given = insert(customer_care).from_select(
        ["tenant_id", *_touches.columns], select(_TENANT, *_of_known_customers.c)
    )
    new, old = given.excluded, customer_care.c
    is_newer = new.last_interaction_at >= old.last_interaction_at
    latest = ("last_interaction_at", "last_interaction_kind", "last_staff_id")
    return given.on_conflict_do_update(
        index_elements=["tenant_id", "customer_id"],
        set_={
            **{name: case((is_newer, new[name]), else_=old[name]) for name in latest},
            "interactions_count": old.interactions_count + new.interactions_count,
        },
    )


_TOUCH: Final = _touch()
_CARE: Final = (
    select(
        customer_care.c.last_interaction_at,
        customer_care.c.last_interaction_kind,
        customer_care.c.last_staff_id,
        func.sum(customer_care.c.interactions_count).over().label("interactions_count"),
    )
    .where(customer_care.c.tenant_id == _TENANT, customer_care.c.customer_id == func.any(_MEMBERS))
    .order_by(customer_care.c.last_interaction_at.desc(), customer_care.c.customer_id)
    .limit(1)
)


def _recount() -> Any:
    """When the people for whom these stand were last in touch, by any of their records."""
    member = customer.alias("member")
    is_of_them = (member.c.id == customer.c.id) | (member.c.merged_into == customer.c.id)
    last = (
        select(func.max(customer_care.c.last_interaction_at))
        .join_from(
            member,
            customer_care,
            (customer_care.c.tenant_id == _TENANT) & (customer_care.c.customer_id == member.c.id),
        )
        .where(member.c.tenant_id == _TENANT, is_of_them)
        .correlate(customer)
        .scalar_subquery()
    )
    return (
        update(customer)
        .values(last_interaction_at=last)
        .where(customer.c.tenant_id == _TENANT, customer.c.id == func.any(_MEMBERS))
        .returning(customer.c.id, customer.c.last_interaction_at)
    )


_RECOUNT: Final = _recount()


@dataclass(frozen=True, slots=True)
class Touch:
    """That a customer was in touch; `counts` when staff have recorded it as an interaction."""

    customer_id: UUID
    at: datetime
    kind: str
    staff_id: UUID | None = None
    counts: bool = False

    def as_row(self) -> dict[str, Any]:
        """The columns of the row, but for the tenant."""
        return {
            "customer_id": self.customer_id,
            "last_interaction_at": self.at,
            "last_interaction_kind": self.kind,
            "last_staff_id": self.staff_id,
            "interactions_count": int(self.counts),
        }


@dataclass(frozen=True, slots=True)
class InteractionFilter:
    """Which interactions a client wants; None asks for nothing."""

    kind: str | None = None
    direction: str | None = None
    staff_id: UUID | None = None
    outcome: str | None = None
    started_from: datetime | None = None
    started_until: datetime | None = None


class InteractionRepository:
    """Interactions, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, sight: Sight | None = None) -> None:
        self._uow = uow
        self._sight = sight
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, columns: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The new interaction."""
        return await self._uow.one(_ADD, {"tenant_id": self._uow.tenant_id, **columns})

    async def get(self, interaction_id: UUID, *, lock: bool = False) -> Row[*tuple[Any, ...]]:
        """Raises InteractionNotFound. Whether its customer is seen is not asked here."""
        statement = _LOCK if lock else _BY_ID
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": interaction_id})
        if row is None:
            raise InteractionNotFound
        return row

    async def save(self, interaction_id: UUID, changes: Mapping[str, Any]) -> Row[*tuple[Any, ...]]:
        """The interaction with these columns changed and its version grown."""
        statement = (
            update(interaction)
            .where(
                interaction.c.tenant_id == self._uow.tenant_id, interaction.c.id == interaction_id
            )
            .values(**changes, version=interaction.c.version + 1)
            .returning(*interaction.c)
        )
        return await self._uow.one(statement)

    async def touch(self, touches: Sequence[Touch]) -> None:
        """Keep when customers were last in touch. Who is not known here is passed over."""
        latest: dict[UUID, Touch] = {}
        for touch in sorted(touches, key=lambda touch: touch.at):
            latest[touch.customer_id] = touch
        if latest:
            rows = _touches.values(touch.as_row() for touch in latest.values())
            await self._uow.execute(_TOUCH, {**self._tenant, **rows})
            last = {touch.customer_id: touch.at for touch in latest.values()}
            await CustomerRepository(self._uow).keep_in_touch(last)

    async def recount(self, root_ids: Collection[UUID]) -> dict[UUID, datetime | None]:
        """When people were last in touch, after their records have changed; kept and told."""
        rows = await self._uow.rows(_RECOUNT, {**self._tenant, "members": sorted(root_ids)})
        return {row.id: row.last_interaction_at for row in rows}

    async def care_of(self, member_ids: Sequence[UUID]) -> Row[*tuple[Any, ...]] | None:
        """When and how the person was last in touch, if they ever were."""
        return await self._uow.one_or_none(_CARE, {**self._tenant, "members": list(member_ids)})

    async def last_of(self, member_ids: Sequence[UUID]) -> datetime | None:
        """When the person was last in touch, by any of their records."""
        care = await self.care_of(member_ids)
        return care.last_interaction_at if care is not None else None

    async def page_of(
        self, member_ids: Sequence[UUID], wanted: InteractionFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of a person's interactions, newest first, and the next cursor."""
        statement = merged_page(
            interaction,
            list(interaction.c),
            [Source(lambda member: interaction.c.customer_id == member, _MEMBERS)],
            where=_conditions(wanted),
            order=NEWEST_FIRST,
            request=request,
        )
        rows = await self._uow.rows(statement, {**self._tenant, "members": list(member_ids)})
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    async def page(
        self, wanted: InteractionFilter, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of the interactions that the caller sees, newest first, and the next cursor."""
        rows = await self._uow.rows(self._page(_conditions(wanted), request), self._asked())
        return next_cursor(rows, NEWEST_FIRST, request.limit)

    def _page(self, where: Sequence[ColumnElement[bool]], request: PageRequest) -> Select[Any]:
        if self._sight is None:
            return page(select(interaction).where(*where), NEWEST_FIRST, request)
        of_teams = self._sight.of_teams
        staff = interaction.c.staff_id
        theirs = (
            Source(lambda staff_id: staff == staff_id, COLLEAGUES)
            if of_teams
            else Source(lambda _: staff == _VIEWER)
        )
        return merged_page(
            interaction,
            list(interaction.c),
            [theirs],
            where=[*where, person_is_seen(interaction.c.customer_id, of_teams=of_teams)],
            order=NEWEST_FIRST,
            request=request,
        )

    def _asked(self) -> Mapping[str, Any]:
        """The tenant, and who looks."""
        if self._sight is None:
            return self._tenant
        return {**self._tenant, **self._sight.parameters()}


def _conditions(wanted: InteractionFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = [interaction.c.tenant_id == _TENANT]
    for name in ("kind", "direction", "staff_id", "outcome"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(interaction.c[name] == value)
    if wanted.started_from is not None:
        conditions.append(interaction.c.started_at >= wanted.started_from)
    if wanted.started_until is not None:
        conditions.append(interaction.c.started_at < wanted.started_until)
    return conditions
