"""SQL of suppressions."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, bindparam, delete, func, select, update
from sqlalchemy.dialects.postgresql import ARRAY, insert

from services.messaging.policies.decide import ActiveSuppression
from services.messaging.preferences.digests import AddressDigests
from services.messaging.preferences.models import suppression
from services.messaging.recipients.addresses import address_key
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

Scope = Literal["marketing", "all"]
SuppressionReason = Literal["unsubscribed", "invalid_address", "complaint", "manual"]
TENANT = bindparam("tenant", type_=Uuid)
_OWN = suppression.c.tenant_id == TENANT
_ORDER = (
    SortKey(suppression.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(suppression.c.id, "id", parse_id, descending=True),
)
_new = RowsParameter("new", suppression, [c.name for c in suppression.c][1:])
_ADD = (
    insert(suppression)
    .from_select(["tenant_id", *_new.columns], select(TENANT, *_new.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "channel", "address", "scope", "reason"])
    .returning(suppression.c.id)
)
_OF_ADDRESSES = select(suppression).where(
    _OWN,
    suppression.c.channel == bindparam("channel", type_=Text),
    suppression.c.address == func.any(bindparam("keys", type_=ARRAY(Text))),
)
_FORGET = delete(suppression).where(
    _OWN,
    suppression.c.channel == bindparam("channel", type_=Text),
    suppression.c.address == func.any(bindparam("keys", type_=ARRAY(Text))),
)
_SAID_AGAIN = ("source", "message_id", "customer_id", "created_at")
_RENEW = (
    update(suppression)
    .where(
        _OWN,
        suppression.c.id == bindparam("of_id", type_=Uuid),
        suppression.c.created_at == bindparam("said_at", type_=suppression.c.created_at.type),
    )
    .values({name: bindparam(name, type_=suppression.c[name].type) for name in _SAID_AGAIN})
)
_DELETE = delete(suppression).where(_OWN, suppression.c.id == bindparam("id", type_=Uuid))


@dataclass(frozen=True, slots=True)
class Suppression:
    """An address, as compared, that must not be written to: for marketing or for anything."""

    id: UUID
    channel: str
    address: str
    scope: Scope
    reason: SuppressionReason
    source: str
    message_id: UUID | None
    customer_id: UUID | None
    created_at: datetime

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """A suppression from its row."""
        return cls(**{name: getattr(row, name) for name in cls.__slots__})


class SuppressionRepository:
    """Suppressions inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, digests: AddressDigests | None = None) -> None:
        self._uow = uow
        self._digests = digests
        self._tenant = {"tenant": uow.tenant_id}

    async def disguise(self, channel: str, address_keys: Collection[str]) -> int:
        """Put digests where these addresses stand; of how many suppressions."""
        assert self._digests is not None  # noqa: S101  (who disguises has the key)
        values = {"channel": channel, "keys": list(address_keys)}
        found = await self._uow.rows(_OF_ADDRESSES, {**self._tenant, **values})
        await self.add(
            replace(
                Suppression.of(row),
                id=new_id(),
                address=self._digests.of(self._uow.tenant_id, row.address),
                message_id=None,
                customer_id=None,
            )
            for row in found
        )
        await self._uow.execute(_FORGET, {**self._tenant, **values})
        return len(found)

    async def add(self, suppressions: Iterable[Suppression]) -> Sequence[UUID]:
        """Suppress addresses that are not yet; the ids of those that were new."""
        rows = [{name: getattr(each, name) for name in _new.columns} for each in suppressions]
        if not rows:
            return []
        return await self._uow.scalars(_ADD, {**self._tenant, **_new.values(rows)})

    async def renew(self, again: Suppression, before: Suppression) -> bool:
        """Let a suppression be as it is said again, unless somebody has done so meanwhile."""
        said = {name: getattr(again, name) for name in _SAID_AGAIN}
        known = {"of_id": before.id, "said_at": before.created_at}
        return await self._uow.execute(_RENEW, {**self._tenant, **known, **said}) == 1

    async def active(
        self, channel: str, address_keys: Collection[str]
    ) -> Mapping[str, Sequence[ActiveSuppression]]:
        """What is in force for each of these addresses, as `address_key` gives them."""
        found: defaultdict[str, list[ActiveSuppression]] = defaultdict(list)
        if address_keys:
            meant = self._meant(address_keys)
            values = {"channel": channel, "keys": list(meant)}
            for row in await self._uow.rows(_OF_ADDRESSES, {**self._tenant, **values}):
                found[meant[row.address]].append(
                    ActiveSuppression(str(row.id), row.scope, row.reason, row.created_at)
                )
        return found

    def _meant(self, address_keys: Collection[str]) -> dict[str, str]:
        """The addresses by what may stand for them."""
        meant = {key: key for key in address_keys}
        if self._digests is not None:
            tenant_id = self._uow.tenant_id
            meant |= {d: key for key in address_keys for d in self._digests.all_of(tenant_id, key)}
        return meant

    async def find(
        self, *, channel: str, address: str, scope: Scope, reason: SuppressionReason
    ) -> Suppression | None:
        """The suppression of one address in one scope for one reason, if there is one."""
        values = {"channel": channel, "keys": [address_key(address)]}
        rows = await self._uow.rows(_OF_ADDRESSES, {**self._tenant, **values})
        wanted = (scope, reason)
        return next(
            (Suppression.of(row) for row in rows if (row.scope, row.reason) == wanted), None
        )

    async def list_page(
        self, request: PageRequest, *, address: str | None, reason: str | None
    ) -> tuple[Sequence[Suppression], str | None]:
        """A page of suppressions, newest first, and the cursor of the next."""
        statement = select(suppression).where(_OWN)
        if address is not None:
            statement = statement.where(suppression.c.address == address_key(address))
        if reason is not None:
            statement = statement.where(suppression.c.reason == reason)
        rows = await self._uow.rows(page(statement, _ORDER, request), self._tenant)
        kept, cursor = next_cursor(rows, _ORDER, request.limit)
        return [Suppression.of(row) for row in kept], cursor

    async def remove(self, suppression_id: UUID) -> bool:
        """Lift a suppression; whether there was one."""
        return await self._uow.execute(_DELETE, {**self._tenant, "id": suppression_id}) == 1
