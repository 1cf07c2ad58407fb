"""`Idempotency-Key`: stored with the effect, in the same transaction of the same schema.

The request runs first and its key is written last. If the key is already there, everything this
request did is rolled back and the first answer is given again; a concurrent duplicate waits at
the key for the first to commit. So there is one effect and one answer, at the cost of one insert.
"""

import hashlib
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import lru_cache

from fastapi import Request, Response
from sqlalchemy import Executable, bindparam, delete, select
from sqlalchemy.dialects.postgresql import insert

from shared.db.sweeps import in_every_tenant
from shared.db.tables import part_tables
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import FieldError, Invalid
from shared.ids import TenantId
from shared.security.keys import SecretBox
from shared.security.principal import Principal
from shared.web.context import context_of
from shared.web.resources import TELLS_A_SECRET

IDEMPOTENCY_HEADER = "idempotency-key"
REPLAYED_HEADER = "idempotent-replayed"
KEY_LIFE = timedelta(hours=24)
_MAX_KEY = 255
_KEPT_HEADERS = ("location", "etag", "content-type", "cache-control")


class IdempotencyKeyReused(Invalid):
    """The key was used before for another request."""

    code = "idempotency_key_reused"
    title = "This Idempotency-Key was used for another request"


async def answer_once(
    request: Request,
    *,
    principal: Principal,
    uow: UnitOfWork,
    answer: Callable[[Request], Awaitable[Response]],
) -> Response:
    """Answer a write that carries an `Idempotency-Key`, or replay the answer it already had."""
    key = _checked_key(request.headers[IDEMPOTENCY_HEADER])
    fingerprint = await _fingerprint(request)
    identity = {"tenant": uow.tenant_id, "actor": principal.actor_id, "key": key}
    schema = context_of(request).units.schema
    try:
        response = await answer(request)
    except Exception:
        # A repetition often fails for the very reason that the first one succeeded. Two of them
        # must not wait for each other's connections to find that out.
        await uow.close()
        replayed = await _replay(request, identity, fingerprint)
        if replayed is not None:
            return replayed
        raise
    kept = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    values = {
        "tenant_id": uow.tenant_id,
        "actor_id": principal.actor_id,
        "key": key,
        "fingerprint": fingerprint,
        "status": response.status_code,
        "headers": kept,
        "body": _sealed(request, response),
        "created_at": uow.clock.now(),
    }
    if await uow.execute(_store(schema), values) == 1:
        await uow.commit()
        return response
    await uow.close()
    replayed = await _replay(request, identity, fingerprint)
    if replayed is None:
        raise IdempotencyKeyReused("The first request with this key was undone; send a new key")
    return replayed


async def forget_old_keys(units: UnitsOfWork) -> None:
    """Delete what is older than a key's life; its key may then be used for anything."""
    before = units.clock.now() - KEY_LIFE

    async def forget_keys(tenant_id: TenantId) -> None:
        async with units.begin(tenant_id) as uow:
            await uow.execute(_forget(units.schema), {"tenant": tenant_id, "before": before})
            await uow.commit()

    await in_every_tenant(units, "tenants_with_idempotency_keys", forget_keys)


async def _replay(
    request: Request, identity: dict[str, object], fingerprint: bytes
) -> Response | None:
    units = context_of(request).units
    tenant = request.state.principal.tenant_id
    async with units.begin(tenant) as uow:
        stored = await uow.one_or_none(_find(units.schema), identity)
    if stored is None:
        return None
    if stored.fingerprint != fingerprint:
        fault = FieldError(
            "/header/idempotency-key", "reused", "Use a new key for a different request"
        )
        raise IdempotencyKeyReused(errors=[fault])
    body = _opened(request, stored.body, stored.headers)
    return Response(body, stored.status, {**stored.headers, REPLAYED_HEADER: "true"})


def _sealed(request: Request, response: Response) -> bytes:
    """The answer as it is kept; one that says `no-store` holds a secret and is encrypted."""
    body = bytes(response.body)
    if not _tells_a_secret(response.headers):
        return body
    return _box(request).seal({"body": body.decode()}).encode()


def _opened(request: Request, body: bytes, headers: Mapping[str, str]) -> bytes:
    if not _tells_a_secret(headers):
        return body
    return _box(request).open(body.decode())["body"].encode()


def _tells_a_secret(headers: Mapping[str, str]) -> bool:
    return headers.get("cache-control") == TELLS_A_SECRET["Cache-Control"]


def _box(request: Request) -> SecretBox:
    return SecretBox(context_of(request).settings.root_key)


def _checked_key(key: str) -> str:
    if 1 <= len(key) <= _MAX_KEY and key.isascii() and key.isprintable():
        return key
    fault = FieldError(
        "/header/idempotency-key", "invalid", f"1 to {_MAX_KEY} printable ASCII characters"
    )
    raise Invalid("The Idempotency-Key is not valid", errors=[fault])


async def _fingerprint(request: Request) -> bytes:
    target = f"{request.method} {request.url.path}?{request.url.query}\n"
    return hashlib.sha256(target.encode() + await request.body()).digest()


@lru_cache
def _store(schema: str) -> Executable:
    table = part_tables(schema).idempotency_key
    return insert(table).on_conflict_do_nothing(index_elements=list(table.primary_key.columns))


@lru_cache
def _find(schema: str) -> Executable:
    table = part_tables(schema).idempotency_key
    return select(table).where(
        table.c.tenant_id == bindparam("tenant"),
        table.c.actor_id == bindparam("actor"),
        table.c.key == bindparam("key"),
    )


@lru_cache
def _forget(schema: str) -> Executable:
    table = part_tables(schema).idempotency_key
    return delete(table).where(
        table.c.tenant_id == bindparam("tenant"), table.c.created_at < bindparam("before")
    )
