"""SQL of single people who are compared once more."""

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Integer, Uuid, bindparam, case, func, literal_column, select, true

from services.customer.customers.identity_match import MAX_CANDIDATES, Identifier
from services.customer.customers.models import customer, customer_identity
from services.customer.duplicate_scans.features import Person, person_of
from shared.db.rows import RowsParameter, any_id
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_PEOPLE: Final = select(
    customer.c.id,
    customer.c.kind,
    customer.c.name,
    customer.c.gender,
    customer.c.birth_date,
    customer.c.province,
    customer.c.profile,
).where(customer.c.tenant_id == _TENANT, customer.c.id == any_id("ids"))
_IDENTITIES: Final = select(
    customer_identity.c.customer_id,
    customer_identity.c.kind,
    customer_identity.c.value,
    case((customer_identity.c.standing == "verified", True), else_=False).label("is_verified"),
).where(
    customer_identity.c.tenant_id == _TENANT,
    customer_identity.c.customer_id == any_id("ids"),
    customer_identity.c.kind != "platform_id",
    customer_identity.c.valid_until.is_(None),
    customer_identity.c.shared.is_(False),
)
_asked = RowsParameter("asked", customer_identity, ("kind", "value"))
_held = (
    select(customer_identity.c.customer_id)
    .where(
        customer_identity.c.tenant_id == _TENANT,
        customer_identity.c.kind == _asked.source.c.kind,
        # Those of addresses and numbers, which have the whole world for their scope.
        customer_identity.c.scope == literal_column("''"),
        customer_identity.c.value == _asked.source.c.value,
        customer_identity.c.valid_until.is_(None),
        customer_identity.c.shared.is_(False),
    )
    .limit(bindparam("at_most", type_=Integer))
    .lateral("held")
)
_COMMON: Final = (
    select(_asked.source.c.kind, _asked.source.c.value)
    .select_from(_asked.source)
    .join(_held, true())
    .group_by(_asked.source.c.kind, _asked.source.c.value)
    .having(func.count() > MAX_CANDIDATES)
)


class ComparedPeople:
    """People as they are compared, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant: Mapping[str, Any] = {"tenant": uow.tenant_id}

    async def read(self, members: Mapping[UUID, UUID]) -> dict[UUID, Person]:
        """Those who stand for these records, with what all of the records are recognised by."""
        known = await self._identifiers(members)
        rows = await self._uow.rows(_PEOPLE, self._of(set(members.values())))
        return {row.id: person_of(dict(row._mapping), known[row.id]) for row in rows}

    async def common(self, identifiers: Collection[Identifier]) -> set[tuple[str, str]]:
        """Those of these that too many people have: kind and value."""
        if not identifiers:
            return set()
        asked = [{"kind": i.kind, "value": i.value} for i in identifiers]
        so_many = {**self._tenant, "at_most": MAX_CANDIDATES + 1}
        rows = await self._uow.rows(_COMMON, {**so_many, **_asked.values(asked)})
        return {(row.kind, row.value) for row in rows}

    async def _identifiers(self, members: Mapping[UUID, UUID]) -> Mapping[UUID, list[Identifier]]:
        """Verified if one of a person's records has it so."""
        found: defaultdict[UUID, dict[tuple[str, ...], Identifier]] = defaultdict(dict)
        for row in await self._uow.rows(_IDENTITIES, self._of(members.keys())):
            identifier = Identifier(row.kind, row.value, "", row.is_verified)
            own = found[members[row.customer_id]]
            if identifier.verified or identifier.key not in own:
                own[identifier.key] = identifier
        return defaultdict(list, {root: list(own.values()) for root, own in found.items()})

    def _of(self, ids: Collection[UUID]) -> dict[str, Any]:
        return {**self._tenant, "ids": sorted(ids)}
