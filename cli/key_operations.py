"""What the operator's commands do about a shop's API keys: with the gateway's own code."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from uuid import UUID

from cli.in_shop import act_as_operator, checked, in_shop, operator_of
from gateway.api_keys.repository import ApiKeyRepository
from gateway.api_keys.schemas import (
    ApiKeyCreate,
    ApiKeyCreated,
    ApiKeyRead,
    ApiKeyRotationCreate,
)
from gateway.api_keys.service import ApiKeyService
from shared.audit.trail import AuditEntry
from shared.db.paging import MAX_LIMIT, PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId


async def list_keys(shop: str) -> list[ApiKeyRead]:
    """Every key of a shop, the newest first, revoked ones too."""
    found: list[ApiKeyRead] = []
    async with _keys(shop) as (service, _):
        request: PageRequest | None = PageRequest(limit=MAX_LIMIT, cursor=None)
        while request is not None:
            rows, cursor = await service.list_newest(request)
            found += map(ApiKeyRead.of, rows)
            request = PageRequest(limit=MAX_LIMIT, cursor=cursor) if cursor else None
    return found


async def create_key(
    shop: str,
    *,
    name: str,
    scopes: list[str],
    kind: str,
    allowed_ips: list[str],
    allowed_origins: list[str],
    expires_at: datetime | None,
) -> ApiKeyCreated:
    """A new key with its secret."""
    given = checked(
        ApiKeyCreate,
        name=name,
        scopes=scopes,
        kind=kind,
        allowed_ips=allowed_ips,
        allowed_origins=allowed_origins,
        expires_at=expires_at,
    )
    async with _keys(shop) as (service, uow):
        act_as_operator(uow, "keys.create")
        created = await service.issue(given)
        uow.record(AuditEntry.of("api_key", created.id))
        await uow.commit()
    return created


async def rotate_key(shop: str, key_id: UUID, *, overlap_seconds: int) -> ApiKeyCreated:
    """A key with a new secret; the old one is good for a while longer."""
    given = checked(ApiKeyRotationCreate, overlap_seconds=overlap_seconds)
    async with _keys(shop) as (service, uow):
        act_as_operator(uow, "keys.rotate")
        rotated = await service.rotate(key_id, given)
        uow.record(AuditEntry.of("api_key", key_id))
        await uow.commit()
    return rotated


async def revoke_key(shop: str, key_id: UUID) -> None:
    """Refuse a key from now on; every process has heard of it within seconds."""
    async with _keys(shop) as (service, uow):
        act_as_operator(uow, "keys.revoke")
        await service.revoke(key_id)
        uow.record(AuditEntry.of("api_key", key_id))
        await uow.commit()


@asynccontextmanager
async def _keys(shop: str) -> AsyncIterator[tuple[ApiKeyService, UnitOfWork]]:
    async with in_shop(shop) as (_, uow):
        yield (
            ApiKeyService(
                uow=uow,
                principal=operator_of(uow),
                api_keys=ApiKeyRepository(uow),
                forget=_nobody_knows_it_here,
            ),
            uow,
        )


def _nobody_knows_it_here(tenant_id: TenantId, key_id: UUID) -> None:
    """No process serves requests here that had to look a key up anew."""
