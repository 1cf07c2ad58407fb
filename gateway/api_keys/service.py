"""Decisions about API keys: nobody gives away what they do not have."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row

from gateway.access.opaque import OpaqueToken
from gateway.api_keys.errors import ApiKeyNotFound, ScopesNotGrantable
from gateway.api_keys.keyring import PREFIX, Keyring
from gateway.api_keys.repository import ApiKeyRepository
from gateway.api_keys.schemas import ApiKeyCreate, ApiKeyCreated, ApiKeyRead
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.security.principal import Principal


class ApiKeyService:
    """What a shop does with its API keys."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        principal: Principal,
        api_keys: ApiKeyRepository,
        keyring: Keyring,
    ) -> None:
        self._uow = uow
        self._principal = principal
        self._api_keys = api_keys
        self._keyring = keyring

    async def issue(self, given: ApiKeyCreate) -> ApiKeyCreated:
        """A new key with its secret. Raises ScopesNotGrantable."""
        beyond = sorted(set(given.scopes) - self._principal.scopes)
        if beyond:
            raise ScopesNotGrantable(beyond)
        token = OpaqueToken.issue(PREFIX, self._uow.tenant_id)
        row = await self._api_keys.add(
            token,
            name=given.name,
            scopes=sorted(set(given.scopes)),
            created_by=self._principal.actor_id,
            expires_at=given.expires_at,
        )
        return ApiKeyCreated(**ApiKeyRead.of(row).model_dump(), key=token.text)

    async def list_newest(
        self, request: PageRequest
    ) -> tuple[Sequence[Row[*tuple[Any, ...]]], str | None]:
        """A page of keys, revoked ones too."""
        return await self._api_keys.list_newest(request)

    async def revoke(self, key_id: UUID) -> None:
        """Refuse a key from now on; everywhere within seconds. Raises ApiKeyNotFound."""
        if not await self._api_keys.revoke(key_id):
            raise ApiKeyNotFound

        async def forget() -> None:
            self._keyring.forget(self._uow.tenant_id, key_id)

        self._uow.after_commit(forget)
