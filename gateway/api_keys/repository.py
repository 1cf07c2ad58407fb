"""SQL of API keys. Every statement is built once, when this is imported."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row, Text, Uuid, bindparam, column, func, insert, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY

from gateway.access.opaque import OpaqueToken
from gateway.api_keys.errors import ApiKeyNotFound
from gateway.api_keys.models import api_key
from gateway.api_keys.schemas import API_KEY_COLUMNS
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.tables import Instant
from shared.db.unit_of_work import UnitOfWork

KeyRow = Row[*tuple[Any, ...]]

NEWEST = (
    SortKey(api_key.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(api_key.c.id, "id", parse_id, descending=True),
)
_TOLD: Final = [api_key.c[name] for name in API_KEY_COLUMNS]
_TENANT = api_key.c.tenant_id == bindparam("tenant")
_ADD = insert(api_key).returning(*_TOLD)
_LIST = select(*_TOLD).where(_TENANT)
_BY_ID = _LIST.where(api_key.c.id == bindparam("id"))
_LOCK = (
    select(*_TOLD, api_key.c.digest)
    .where(_TENANT, api_key.c.id == bindparam("id"))
    .with_for_update()
)
_CREDENTIAL = select(
    api_key.c.kind,
    api_key.c.digest,
    api_key.c.previous_digest,
    api_key.c.previous_until,
    api_key.c.scopes,
    api_key.c.allowed_ips,
    api_key.c.allowed_origins,
    api_key.c.rate_limit,
    api_key.c.expires_at,
).where(_TENANT, api_key.c.id == bindparam("id"), api_key.c.revoked_at.is_(None))
_REVOKE = (
    update(api_key)
    .where(_TENANT, api_key.c.id == bindparam("key_id"), api_key.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"), updated_at=bindparam("now"), version=api_key.c.version + 1)
)
_CHANGEABLE: Final = ("name", "allowed_ips", "allowed_origins", "rate_limit", "expires_at")
_STAMPS: Final = {"updated_at": bindparam("now"), "version": api_key.c.version + 1}
_SAVE = (
    update(api_key)
    .where(_TENANT, api_key.c.id == bindparam("key_id"))
    .values({name: bindparam(name) for name in _CHANGEABLE} | _STAMPS)
    .returning(*_TOLD)
)
_ROTATED: Final = ("digest", "hint", "previous_digest", "previous_until")
_ROTATE = (
    update(api_key)
    .where(_TENANT, api_key.c.id == bindparam("key_id"))
    .values({name: bindparam(name) for name in _ROTATED} | _STAMPS)
    .values(rotated_at=bindparam("now"))
    .returning(*_TOLD)
)
_USED = (
    func.unnest(
        bindparam("ids", type_=ARRAY(Uuid)),
        bindparam("times", type_=ARRAY(Instant)),
        bindparam("spaced", type_=ARRAY(Instant)),
        bindparam("addresses", type_=ARRAY(Text)),
    )
    .table_valued(
        column("id", Uuid), column("at", Instant), column("spaced", Instant), column("ip", Text)
    )
    .render_derived(name="used")
)
_NOTE_USE = (
    update(api_key)
    .where(
        _TENANT,
        api_key.c.id == _USED.c.id,
        or_(api_key.c.last_used_at.is_(None), api_key.c.last_used_at <= _USED.c.spaced),
    )
    .values(last_used_at=_USED.c.at, last_used_ip=_USED.c.ip)
)
_HINT_CHARACTERS = 4


@dataclass(frozen=True, slots=True)
class KeyUse:
    """That a key was used, and from where."""

    key_id: UUID
    at: datetime
    address: str


class ApiKeyRepository:
    """API keys of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._tenant = {"tenant": uow.tenant_id}

    async def add(self, token: OpaqueToken, values: Mapping[str, Any]) -> KeyRow:
        """Keep a new key's digest; the row, without it."""
        now = self._uow.clock.now()
        row = {
            "tenant_id": self._uow.tenant_id,
            "id": token.id,
            "digest": token.digest,
            "hint": _hint(token),
            "created_at": now,
            "updated_at": now,
            **values,
        }
        return await self._uow.one(_ADD, row)

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[KeyRow], str | None]:
        """A page of keys, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(page(_LIST, NEWEST, request), self._tenant)
        return next_cursor(rows, NEWEST, request.limit)

    async def get(self, key_id: UUID) -> KeyRow:
        """Raises ApiKeyNotFound."""
        return await self._one(_BY_ID, key_id)

    async def lock(self, key_id: UUID) -> KeyRow:
        """A key with its digest, kept from being changed by others. Raises ApiKeyNotFound."""
        return await self._one(_LOCK, key_id)

    async def save(self, key_id: UUID, values: Mapping[str, Any]) -> KeyRow:
        """Write what may change of a locked key; the row as it is now."""
        now = {"now": self._uow.clock.now()}
        return await self._uow.one(_SAVE, {**self._tenant, "key_id": key_id, **now, **values})

    async def rotate(self, before: KeyRow, token: OpaqueToken, *, until: datetime) -> KeyRow:
        """Give a locked key the secret of `token`; the one it had is good `until` then."""
        values = {
            "key_id": token.id,
            "digest": token.digest,
            "hint": _hint(token),
            "previous_digest": before.digest,
            "previous_until": until,
            "now": self._uow.clock.now(),
        }
        return await self._uow.one(_ROTATE, {**self._tenant, **values})

    async def find_credential(self, key_id: UUID) -> KeyRow | None:
        """What a key that is not revoked is checked against."""
        return await self._uow.one_or_none(_CREDENTIAL, {**self._tenant, "id": key_id})

    async def revoke(self, key_id: UUID) -> bool:
        """Whether there was a key to revoke."""
        values = {"key_id": key_id, "now": self._uow.clock.now()}
        return await self._uow.execute(_REVOKE, {**self._tenant, **values}) == 1

    async def note_use(self, uses: Sequence[KeyUse], *, spacing: timedelta) -> None:
        """Write when and from where keys were used, unless it was written less than that ago."""
        columns = {
            "ids": [use.key_id for use in uses],
            "times": [use.at for use in uses],
            "spaced": [use.at - spacing for use in uses],
            "addresses": [use.address or None for use in uses],
        }
        await self._uow.execute(_NOTE_USE, {**self._tenant, **columns})

    async def _one(self, statement: Any, key_id: UUID) -> KeyRow:
        row = await self._uow.one_or_none(statement, {**self._tenant, "id": key_id})
        if row is None:
            raise ApiKeyNotFound
        return row


def _hint(token: OpaqueToken) -> str:
    return f"{token.prefix}_...{token.text[-_HINT_CHARACTERS:]}"
