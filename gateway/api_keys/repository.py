"""SQL of API keys. Every statement is built once, when this is imported."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Row, bindparam, insert, select, update

from gateway.access.opaque import OpaqueToken
from gateway.api_keys.models import api_key
from gateway.api_keys.schemas import API_KEY_COLUMNS
from shared.db.paging import PageRequest, SortKey, next_cursor, page, parse_id, parse_instant
from shared.db.unit_of_work import UnitOfWork

NEWEST = (
    SortKey(api_key.c.created_at, "created_at", parse_instant, descending=True),
    SortKey(api_key.c.id, "id", parse_id, descending=True),
)
_TENANT = api_key.c.tenant_id == bindparam("tenant")
_ADD = insert(api_key).returning(*[api_key.c[name] for name in API_KEY_COLUMNS])
_LIST = select(*[api_key.c[name] for name in API_KEY_COLUMNS]).where(_TENANT)
_CREDENTIAL = select(api_key.c.id, api_key.c.digest, api_key.c.scopes, api_key.c.expires_at).where(
    _TENANT, api_key.c.id == bindparam("id"), api_key.c.revoked_at.is_(None)
)
_REVOKE = (
    update(api_key)
    .where(_TENANT, api_key.c.id == bindparam("key_id"), api_key.c.revoked_at.is_(None))
    .values(revoked_at=bindparam("now"))
)
_HINT_CHARACTERS = 4


class ApiKeyRepository:
    """API keys of one shop, inside one unit of work."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def add(
        self,
        token: OpaqueToken,
        *,
        name: str,
        scopes: Sequence[str],
        created_by: str,
        expires_at: datetime | None,
    ) -> Row[*tuple[Any, ...]]:
        """Keep a new key's digest; the row, without it."""
        row = {
            "tenant_id": self._uow.tenant_id,
            "id": token.id,
            "name": name,
            "digest": token.digest,
            "hint": f"{token.prefix}_...{token.secret[-_HINT_CHARACTERS:]}",
            "scopes": list(scopes),
            "created_by": created_by,
            "created_at": self._uow.clock.now(),
            "expires_at": expires_at,
        }
        return await self._uow.one(_ADD, row)

    async def list_newest(
        self, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of keys, the newest first, and the next page's cursor."""
        rows = await self._uow.rows(page(_LIST, NEWEST, request), {"tenant": self._uow.tenant_id})
        return next_cursor(rows, NEWEST, request.limit)

    async def find_credential(self, key_id: UUID) -> Row[*tuple[Any, ...]] | None:
        """What a key that is not revoked is checked against."""
        return await self._uow.one_or_none(
            _CREDENTIAL, {"tenant": self._uow.tenant_id, "id": key_id}
        )

    async def revoke(self, key_id: UUID) -> bool:
        """Whether there was a key to revoke."""
        values = {"key_id": key_id, "now": self._uow.clock.now()}
        return await self._uow.execute(_REVOKE, {"tenant": self._uow.tenant_id, **values}) == 1
