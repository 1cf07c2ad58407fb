"""Decisions about API keys: nobody gives away what they do not have."""

from collections.abc import Callable, Collection, Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

from gateway.access.opaque import OpaqueToken
from gateway.access.scopes import PUBLISHABLE
from gateway.api_keys.errors import (
    ApiKeyNotFound,
    ApiKeyRevoked,
    ScopesNotGrantable,
    ViewNotGrantable,
)
from gateway.api_keys.keyring import PREFIXES
from gateway.api_keys.repository import ApiKeyRepository, KeyRow
from gateway.api_keys.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyKind,
    ApiKeyPatch,
    ApiKeyRead,
    ApiKeyRotationCreate,
)
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import FieldError, Invalid
from shared.ids import TenantId
from shared.security.principal import Principal, PrincipalKind, Visibility
from shared.web.resources import check_version

_CANNOT_BE_NULL = ("name", "allowed_ips", "allowed_origins")


class ApiKeyService:
    """What a shop does with its API keys; `forget` has this process look a key up anew."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        principal: Principal,
        api_keys: ApiKeyRepository,
        forget: Callable[[TenantId, UUID], None],
    ) -> None:
        self._uow = uow
        self._principal = principal
        self._api_keys = api_keys
        self._forget = forget

    async def issue(self, given: ApiKeyCreate) -> ApiKeyCreated:
        """A new key with its secret. Raises ScopesNotGrantable, ViewNotGrantable, Invalid."""
        self._check_grantable(given.scopes)
        _check_publishable(given)
        _check_origins(given.kind, given.allowed_origins)
        self._check_expiry(given)
        token = OpaqueToken.issue(PREFIXES[given.kind], self._uow.tenant_id)
        values = {
            **given.model_dump(),
            "scopes": sorted(set(given.scopes)),
            "allowed_ips": _unique(given.allowed_ips),
            "allowed_origins": _unique(given.allowed_origins),
            "created_by": self._principal.actor_id,
        }
        row = await self._api_keys.add(token, values)
        return ApiKeyCreated(**ApiKeyRead.of(row).model_dump(), key=token.text)

    async def get(self, key_id: UUID) -> ApiKeyRead:
        """Raises ApiKeyNotFound."""
        return ApiKeyRead.of(await self._api_keys.get(key_id))

    async def list_newest(self, request: PageRequest) -> tuple[Sequence[KeyRow], str | None]:
        """A page of keys, revoked ones too."""
        return await self._api_keys.list_newest(request)

    async def change(
        self, key_id: UUID, given: ApiKeyPatch, *, expected_version: int | None
    ) -> ApiKeyRead:
        """The key after the change, which is felt everywhere within seconds.

        Raises ApiKeyNotFound, ApiKeyRevoked, PreconditionFailed, ScopesNotGrantable,
        ViewNotGrantable, Invalid.
        """
        before = await self._lock_own(key_id)
        check_version(before.version, expected_version)
        self._check_expiry(given)
        changes = given.model_dump(exclude_unset=True)
        for name in _CANNOT_BE_NULL:
            if changes.get(name, ...) is None:
                raise _fault(f"/body/{name}", "null", "This cannot be null")
        values: dict[str, Any] = {
            "name": before.name,
            "allowed_ips": before.allowed_ips,
            "allowed_origins": before.allowed_origins,
            "rate_limit": before.rate_limit,
            "expires_at": before.expires_at,
            **changes,
        }
        values["allowed_ips"] = _unique(values["allowed_ips"])
        values["allowed_origins"] = _unique(values["allowed_origins"])
        _check_origins(before.kind, values["allowed_origins"])
        row = await self._api_keys.save(key_id, values)
        self._felt_here(key_id)
        return ApiKeyRead.of(row)

    async def rotate(self, key_id: UUID, given: ApiKeyRotationCreate) -> ApiKeyCreated:
        """The key with a new secret; the old one is good for a while longer, one before it is not.

        Raises ApiKeyNotFound, ApiKeyRevoked, ScopesNotGrantable, ViewNotGrantable.
        """
        before = await self._lock_own(key_id)
        prefix = PREFIXES[ApiKeyKind(before.kind)]
        token = OpaqueToken.issue(prefix, self._uow.tenant_id, key_id)
        until = self._uow.clock.now() + timedelta(seconds=given.overlap_seconds)
        row = await self._api_keys.rotate(before, token, until=until)
        self._felt_here(key_id)
        return ApiKeyCreated(**ApiKeyRead.of(row).model_dump(), key=token.text)

    async def revoke(self, key_id: UUID) -> None:
        """Refuse a key from now on; everywhere within seconds. Raises ApiKeyNotFound."""
        if not await self._api_keys.revoke(key_id):
            raise ApiKeyNotFound
        self._felt_here(key_id)

    async def _lock_own(self, key_id: UUID) -> KeyRow:
        """A key that can do nothing which the caller cannot: no other may be taken over."""
        row = await self._api_keys.lock(key_id)
        self._check_grantable(row.scopes)
        if row.revoked_at is not None:
            raise ApiKeyRevoked
        return row

    def _check_grantable(self, scopes: Collection[str]) -> None:
        if self._principal.kind is PrincipalKind.SYSTEM:  # the operator, who runs the shop's house
            return
        beyond = sorted(set(scopes) - self._principal.scopes)
        if beyond:
            raise ScopesNotGrantable(beyond)
        if self._principal.visibility is not Visibility.ALL:
            raise ViewNotGrantable

    def _check_expiry(self, given: ApiKeyCreate | ApiKeyPatch) -> None:
        if given.expires_at is not None and given.expires_at <= self._uow.clock.now():
            raise _fault("/body/expires_at", "not_in_the_future", "Name a time that is to come")

    def _felt_here(self, key_id: UUID) -> None:
        async def forget() -> None:
            self._forget(self._uow.tenant_id, key_id)

        self._uow.after_commit(forget)


def _check_publishable(given: ApiKeyCreate) -> None:
    if given.kind is ApiKeyKind.SECRET:
        return
    for place, scope in enumerate(given.scopes):
        if scope not in PUBLISHABLE:
            detail = f"Everybody can read a publishable key: only {', '.join(sorted(PUBLISHABLE))}"
            raise _fault(f"/body/scopes/{place}", "not_publishable", detail)


def _check_origins(kind: str, origins: Collection[str]) -> None:
    if kind == ApiKeyKind.PUBLISHABLE and not origins:
        detail = "Name the pages that a publishable key is for"
        raise _fault("/body/allowed_origins", "missing", detail)
    if kind == ApiKeyKind.SECRET and origins:
        detail = "A secret key must not be in any page"
        raise _fault("/body/allowed_origins", "not_publishable", detail)


def _unique(texts: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(texts))


def _fault(pointer: str, code: str, detail: str) -> Invalid:
    return Invalid("1 field is at fault", errors=[FieldError(pointer, code, detail)])
