"""SQL of what customers can be recognised by."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from sqlalchemy import (
    Row,
    Text,
    Uuid,
    bindparam,
    delete,
    func,
    select,
    text,
    true,
    union_all,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.customer.customers.errors import IdentityTaken
from services.customer.customers.identities import IDENTITY_COLUMNS, Identity
from services.customer.customers.identity_match import MAX_CANDIDATES, Identifier, KnownIdentity
from services.customer.customers.models import customer, customer_identity
from shared.db.rows import NewRows, RowsParameter
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

CONTACTS: Final = ("email", "phone")
"""The kinds of identities that are columns of a customer, too."""

_TENANT = bindparam("tenant", type_=Uuid)
_NOW = bindparam("now", type_=Instant)
_IDS = bindparam("ids", type_=ARRAY(Uuid))

NEW_IDENTITIES = NewRows("identity", customer_identity, IDENTITY_COLUMNS)
_wanted = RowsParameter("wanted", customer_identity, ("kind", "scope", "value"))
_told = RowsParameter("told", customer_identity, ("scope", "value", "told_at"))


def holders_of(wanted: RowsParameter | NewRows) -> Any:
    """Who has one of the wanted identities; of each, verified holders first, and not too many.

    `customer_id` is the record that has it, `root_id` who stands for that.
    """
    asked = wanted.source
    held = (
        select(
            customer_identity.c.customer_id,
            customer_identity.c.kind,
            customer_identity.c.scope,
            customer_identity.c.value,
            customer_identity.c.standing,
            customer_identity.c.shared,
        )
        .where(
            customer_identity.c.tenant_id == _TENANT,
            customer_identity.c.kind == asked.c.kind,
            customer_identity.c.scope == asked.c.scope,
            customer_identity.c.value == asked.c.value,
            customer_identity.c.valid_until.is_(None),
        )
        .order_by(customer_identity.c.standing.desc())
        .limit(MAX_CANDIDATES + 1)
        .lateral("held")
    )
    # One after the other by their ids: a join could be planned as a walk over everybody.
    holder = customer.alias("holder_record")
    root_id = (
        select(func.coalesce(holder.c.merged_into, holder.c.id))
        .where(holder.c.tenant_id == _TENANT, holder.c.id == held.c.customer_id)
        .scalar_subquery()
        .label("root_id")
    )
    return select(*held.c, root_id).select_from(asked).join(held, true())


def insert_identities() -> Any:
    """Keeps identities but for verified ones that somebody else has; tells which were kept."""
    columns = ["tenant_id", *IDENTITY_COLUMNS, "created_at"]
    return (
        insert(customer_identity)
        .from_select(columns, select(_TENANT, *NEW_IDENTITIES.source.c, _NOW))
        .on_conflict_do_nothing(
            index_elements=["tenant_id", "kind", "scope", "value"],
            index_where=text("standing = 'verified'"),
        )
        .returning(customer_identity.c.id)
    )


_ADD_IDENTITIES = insert_identities()
_HOLDERS = holders_of(_wanted)
_OWN_IDENTITIES = (
    select(customer_identity)
    .where(
        customer_identity.c.tenant_id == _TENANT,
        customer_identity.c.customer_id == func.any(_IDS),
    )
    .order_by(customer_identity.c.created_at, customer_identity.c.id)
)
_record, _named = customer.alias("record"), customer.alias("named")
_ROOT = (
    select(func.coalesce(_named.c.merged_into, _named.c.id))
    .where(_named.c.tenant_id == _TENANT, _named.c.id == bindparam("customer_id", type_=Uuid))
    .scalar_subquery()
)
_member = union_all(
    select(_record.c.id).where(_record.c.tenant_id == _TENANT, _record.c.id == _ROOT),
    select(_record.c.id).where(_record.c.tenant_id == _TENANT, _record.c.merged_into == _ROOT),
).subquery("member")
_IDENTITIES_OF_PERSON = (
    select(customer_identity)
    .join(_member, _member.c.id == customer_identity.c.customer_id)
    .where(customer_identity.c.tenant_id == _TENANT)
    .order_by(customer_identity.c.created_at, customer_identity.c.id)
)
_REMOVE_CLAIMED = delete(customer_identity).where(
    customer_identity.c.tenant_id == _TENANT,
    customer_identity.c.customer_id == bindparam("customer_id", type_=Uuid),
    customer_identity.c.kind == bindparam("kind", type_=Text),
    customer_identity.c.value == bindparam("value", type_=Text),
    customer_identity.c.standing == "claimed",
    customer_identity.c.valid_until.is_(None),
)
_SHARE = (
    update(customer_identity)
    .values(standing="claimed", shared=True)
    .where(
        customer_identity.c.tenant_id == _TENANT,
        customer_identity.c.customer_id == bindparam("of_customer", type_=Uuid),
        customer_identity.c.kind == bindparam("of_kind", type_=Text),
        customer_identity.c.value == bindparam("of_value", type_=Text),
    )
)
_REMOVE_PLATFORM_ID = delete(customer_identity).where(
    customer_identity.c.tenant_id == _TENANT,
    customer_identity.c.customer_id == bindparam("customer_id", type_=Uuid),
    customer_identity.c.kind == "platform_id",
    customer_identity.c.scope == bindparam("scope", type_=Text),
    customer_identity.c.value == bindparam("value", type_=Text),
)
_REMOVE_ALL = delete(customer_identity).where(
    customer_identity.c.tenant_id == _TENANT, customer_identity.c.customer_id == func.any(_IDS)
)
_MARK_TOLD = (
    update(customer_identity)
    .values(told_at=_told.source.c.told_at)
    .where(
        customer_identity.c.tenant_id == _TENANT,
        customer_identity.c.kind == "platform_id",
        customer_identity.c.scope == _told.source.c.scope,
        customer_identity.c.value == _told.source.c.value,
    )
)


class IdentityRepository:
    """Identities, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def holders(self, identities: Iterable[Identity]) -> list[KnownIdentity]:
        """Who has any of these identities."""
        wanted = [{"kind": i.kind, "scope": i.scope, "value": i.value} for i in identities]
        if not wanted:
            return []
        rows = await self._uow.rows(_HOLDERS, {**self._tenant, **_wanted.values(wanted)})
        return [known_identity(row) for row in rows]

    async def list_of(self, customer_ids: Collection[UUID]) -> Sequence[Row[*tuple[Any, ...]]]:
        """All identities of these customers, oldest first."""
        return await self._uow.rows(_OWN_IDENTITIES, {**self._tenant, "ids": list(customer_ids)})

    async def list_of_person(self, customer_id: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
        """All identities of all records of a person, oldest first."""
        return await self._uow.rows(
            _IDENTITIES_OF_PERSON, {**self._tenant, "customer_id": customer_id}
        )

    async def give(
        self,
        given: Iterable[tuple[UUID, Identity]],
        *,
        own_rows: Sequence[Row[*tuple[Any, ...]]] | None = None,
    ) -> list[tuple[UUID, Identity]]:
        """Give customers the identities that they lack, and trust those now verified.

        What has ended, or is shared, stays so until somebody says otherwise. Returns what was
        given. Raises IdentityTaken when a verified one belongs to somebody else.

        Who has read what these customers have gives it as `own_rows`.
        """
        wanted = {(owner, *identity.key): identity for owner, identity in given}
        rows = own_rows
        if rows is None:
            rows = await self.list_of({owner for owner, *_ in wanted})
        own = {
            (r.customer_id, r.kind, r.scope, r.value): (
                "decided" if r.shared or r.valid_until is not None else r.standing
            )
            for r in rows
        }
        lacking = [
            (key[0], identity)
            for key, identity in wanted.items()
            if key not in own or (identity.verified and own[key] == "claimed")
        ]
        for owner, identity in lacking:
            if (owner, *identity.key) in own:
                await self.remove_claimed(owner, kind=identity.kind, value=identity.value)
        if lacking:
            await self._add(lacking)
        return lacking

    async def share(self, customer_id: UUID, identities: Iterable[Identity]) -> None:
        """Trust a customer's identities no more: others have them, too."""
        for identity in identities:
            wanted = {
                "of_customer": customer_id,
                "of_kind": identity.kind,
                "of_value": identity.value,
            }
            await self._uow.execute(_SHARE, {**self._tenant, **wanted})

    async def mark_told(self, told: Mapping[tuple[str, str], datetime]) -> None:
        """Remember until when platforms have told of people, by scope and platform id."""
        rows = [
            {"scope": scope, "value": value, "told_at": at} for (scope, value), at in told.items()
        ]
        if rows:
            await self._uow.execute(_MARK_TOLD, {**self._tenant, **_told.values(rows)})

    async def _add(self, given: Sequence[tuple[UUID, Identity]]) -> None:
        parameters = NEW_IDENTITIES.values(identity.as_row(owner) for owner, identity in given)
        kept = await self._uow.rows(
            _ADD_IDENTITIES, {**self._tenant, "now": self._uow.clock.now(), **parameters}
        )
        if len(kept) < len(given):
            raise IdentityTaken

    async def remove_claimed(self, customer_id: UUID, *, kind: str, value: str) -> None:
        """Forget what a customer only claimed; a verified identity stays."""
        await self._uow.execute(
            _REMOVE_CLAIMED,
            {**self._tenant, "customer_id": customer_id, "kind": kind, "value": value},
        )

    async def remove_platform_id(self, customer_id: UUID, *, scope: str, value: str) -> None:
        """Forget what a system of the shop knows a customer by."""
        await self._uow.execute(
            _REMOVE_PLATFORM_ID,
            {**self._tenant, "customer_id": customer_id, "scope": scope, "value": value},
        )

    async def remove_all(self, customer_ids: Collection[UUID]) -> None:
        """Let nothing lead to these customers any more."""
        await self._uow.execute(_REMOVE_ALL, {**self._tenant, "ids": list(customer_ids)})


def ended_contacts(rows: Iterable[Row[*tuple[Any, ...]]]) -> set[tuple[UUID, str, str]]:
    """The addresses and numbers that are not these customers' any more: whose, kind, value."""
    return {(row.customer_id, row.kind, row.value) for row in rows if row.valid_until is not None}


def known_identity(row: Row[*tuple[Any, ...]]) -> KnownIdentity:
    """A holder in a row of `holders_of`."""
    verified = row.standing == "verified"
    identifier = Identifier(row.kind, row.value, row.scope, verified)
    return KnownIdentity(row.root_id, identifier, row.customer_id, row.shared)
