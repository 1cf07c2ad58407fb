"""Knowing again what erased people were known by, without knowing what it was."""

import hashlib
import hmac
from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from sqlalchemy import ARRAY, LargeBinary, Row, Uuid, bindparam, delete, exists, func, select
from sqlalchemy.dialects.postgresql import insert

from services.customer.erased.models import erased_identity
from shared.db.rows import RowsParameter
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.security.keys import RootKey, derive_keys

_TENANT: Final = bindparam("tenant", type_=Uuid)
_digests = RowsParameter("gone", erased_identity, ("digest", "customer_id", "erased_at"))
_REMEMBER: Final = (
    insert(erased_identity)
    .from_select(["tenant_id", *_digests.columns], select(_TENANT, *_digests.source.c))
    .on_conflict_do_nothing(index_elements=["tenant_id", "digest"])
    .returning(erased_identity.c.digest)
)
_DIGESTS: Final = bindparam("digests", type_=ARRAY(LargeBinary))
_ERASED: Final = select(erased_identity).where(
    erased_identity.c.tenant_id == _TENANT, erased_identity.c.digest == func.any(_DIGESTS)
)
_ANY: Final = select(exists().where(erased_identity.c.tenant_id == _TENANT))
_FORGET: Final = delete(erased_identity).where(
    erased_identity.c.tenant_id == _TENANT, erased_identity.c.digest == func.any(_DIGESTS)
)

IdentityKey = tuple[str, str, str]


class IdentityDigests:
    """Keyed digests of identities: they tell nothing to whoever has the table and not the key."""

    def __init__(self, root: RootKey) -> None:
        self._root = root

    @cached_property
    def _keys(self) -> Sequence[bytes]:
        return derive_keys(self._root, "erased-identity")

    def all_of(self, tenant_id: TenantId, key: IdentityKey) -> list[bytes]:
        """The digests of an identity, by the secret in use first."""
        content = "\x1f".join((tenant_id.hex, *key)).encode()
        return [hmac.digest(secret, content, hashlib.sha256) for secret in self._keys]


class ErasedIdentities:
    """The digests of one tenant, inside one unit of work."""

    def __init__(self, uow: UnitOfWork, *, digests: IdentityDigests) -> None:
        self._uow = uow
        self._digests = digests
        self._tenant = {"tenant": uow.tenant_id}

    async def remember(
        self,
        identities: Iterable[Row[*tuple[Any, ...]]],
        *,
        at: datetime,
    ) -> None:
        """Know identities again that were erased, without knowing them."""
        rows = [
            {
                "digest": self._digests.all_of(self._uow.tenant_id, _key(row))[0],
                "customer_id": row.customer_id,
                "erased_at": at,
            }
            for row in identities
        ]
        if rows:
            await self._uow.rows(_REMEMBER, {**self._tenant, **_digests.values(rows)})

    async def any(self) -> bool:
        """Whether anybody was erased at all."""
        return bool(await self._uow.scalar(_ANY, self._tenant))

    async def erased(
        self, keys: Collection[IdentityKey]
    ) -> dict[IdentityKey, tuple[UUID, datetime]]:
        """Which of these identities were erased: whose they were, and when."""
        asked = {d: key for key in keys for d in self._digests.all_of(self._uow.tenant_id, key)}
        if not asked:
            return {}
        rows = await self._uow.rows(_ERASED, {**self._tenant, "digests": list(asked)})
        return {asked[row.digest]: (row.customer_id, row.erased_at) for row in rows}

    async def forget(self, keys: Iterable[IdentityKey]) -> None:
        """Somebody has come back of their own will: from now on they are known again."""
        gone = [d for key in keys for d in self._digests.all_of(self._uow.tenant_id, key)]
        if gone:
            await self._uow.execute(_FORGET, {**self._tenant, "digests": gone})


def _key(row: Row[*tuple[Any, ...]]) -> IdentityKey:
    return (row.kind, row.scope, row.value)
