"""The key ring: what was made with a root secret stays good while the next one takes over."""

from datetime import timedelta
from functools import partial
from typing import ClassVar

import pytest
from pydantic import ValidationError
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from gateway.access.tokens import AccessTokens
from migrations.runner import ensure_schema, with_roles
from services.customer.settings import CustomerSettings
from shared.clock import SystemClock
from shared.db.failures import sqlstate
from shared.errors import NotFound, Unauthenticated
from shared.ids import new_id
from shared.part.context import build_context
from shared.security.keys import KeyRing, SecretBox, key_fingerprint
from shared.security.link_tokens import LinkTarget, LinkTokens
from shared.security.principal import Principal, PrincipalKind, PrincipalTokens
from shared.settings import PartSettings
from tests.support.parts import create_part

OLD, NEW = "old-root-key-" + "0" * 32, "new-root-key-" + "1" * 32
BEFORE, PREPARED = KeyRing(OLD), KeyRing(OLD, (NEW,))
MOVED, AFTER = KeyRing(NEW, (OLD,)), KeyRing(NEW)
CLOCK = SystemClock()


def test_a_ring_is_read_from_the_environment():
    assert KeyRing.of(NEW, f" {OLD}, ,{NEW}") == MOVED


def test_a_ring_shows_no_key():
    assert OLD not in repr(MOVED)
    assert NEW not in repr(MOVED)


def test_a_short_key_is_refused_also_among_the_old_ones():
    with pytest.raises(ValidationError, match="32 characters"):
        CustomerSettings(secret_key=NEW, secret_keys_old="short", _env_file=None)


def test_fingerprints_tell_keys_apart_and_nothing_else():
    assert key_fingerprint(OLD) == key_fingerprint(OLD)
    assert key_fingerprint(OLD) != key_fingerprint(NEW)
    assert OLD not in key_fingerprint(OLD)


def test_what_the_old_key_sealed_is_opened_until_it_is_gone():
    sealed = SecretBox(BEFORE).seal({"password": "x"})
    assert SecretBox(MOVED).open(sealed) == {"password": "x"}
    with pytest.raises(ValueError, match="another CARELOOP_SECRET_KEY"):
        SecretBox(AFTER).open(sealed)


def test_renewing_seals_with_the_key_in_use():
    sealed = SecretBox(BEFORE).seal({"password": "x"})
    box = SecretBox(MOVED)
    assert not box.is_current(sealed)
    renewed = box.renew(sealed)
    assert box.is_current(renewed)
    assert SecretBox(AFTER).open(renewed) == {"password": "x"}


@pytest.mark.parametrize(
    ("minter", "verifier"),
    [(BEFORE, PREPARED), (PREPARED, MOVED), (MOVED, PREPARED), (MOVED, AFTER), (AFTER, AFTER)],
)
class TestEachStepOfARotation:
    """Processes of two neighbouring steps run side by side and understand each other."""

    def test_principals(self, minter, verifier, tenant):
        principal = Principal(tenant, PrincipalKind.SYSTEM, "a", frozenset({"x:read"}), "r")
        token = PrincipalTokens(root_key=minter, clock=CLOCK).mint(principal)
        assert PrincipalTokens(root_key=verifier, clock=CLOCK).verify(token) == principal

    def test_links(self, minter, verifier, tenant):
        target = LinkTarget(tenant, new_id())
        token = LinkTokens(root_key=minter, purpose="survey").mint(target)
        assert LinkTokens(root_key=verifier, purpose="survey").verify(token) == target

    def test_access_tokens(self, minter, verifier, tenant):
        access = AccessTokens(root_key=minter, clock=CLOCK)
        token = access.for_shopper(tenant, new_id(), life=timedelta(minutes=5)).text
        read = AccessTokens(root_key=verifier, clock=CLOCK).read(token)
        assert read == access.read(token)

    def test_secrets(self, minter, verifier):
        assert SecretBox(verifier).open(SecretBox(minter).seal({"a": "b"})) == {"a": "b"}


def test_when_a_key_is_gone_nothing_of_it_is_believed(tenant):
    principal = Principal(tenant, PrincipalKind.SYSTEM, "a", frozenset(), "r")
    token = PrincipalTokens(root_key=BEFORE, clock=CLOCK).mint(principal)
    with pytest.raises(Unauthenticated):
        PrincipalTokens(root_key=AFTER, clock=CLOCK).verify(token)
    link = LinkTokens(root_key=BEFORE, purpose="survey").mint(LinkTarget(tenant, new_id()))
    with pytest.raises(NotFound):
        LinkTokens(root_key=AFTER, purpose="survey").verify(link)
    access = AccessTokens(root_key=BEFORE, clock=CLOCK)
    issued = access.for_shopper(tenant, new_id(), life=timedelta(minutes=5))
    with pytest.raises(Unauthenticated):
        AccessTokens(root_key=AFTER, clock=CLOCK).read(issued.text)


async def _can_log_in(schema: str, database_url: str, redis_url: str, ring: KeyRing) -> bool:
    class Settings(PartSettings):
        part: ClassVar[str] = schema

    settings = Settings(
        secret_key=ring.current,
        secret_keys_old=",".join(ring.others),
        admin_database_url=database_url,
        redis_url=redis_url,
        _env_file=None,
    )
    context = build_context(settings)
    try:
        async with context.units.engine.connect() as connection:
            return (await connection.execute(text("SELECT 1"))).scalar() == 1
    except DBAPIError as error:
        if sqlstate(error) != "28P01":
            raise
        return False
    finally:
        await context.close()


async def test_processes_log_in_before_and_after_the_password_follows_the_new_key(
    database_url: str, redis_url: str, worker_number: int
):
    schema = f"rotated{worker_number}"

    async def who_can() -> list[bool]:
        rings = (BEFORE, PREPARED, MOVED, AFTER)
        return [await _can_log_in(schema, database_url, redis_url, ring) for ring in rings]

    await create_part(database_url, schema, root_key=OLD)
    assert await who_can() == [True, True, True, False]
    engine = create_async_engine(database_url, poolclass=NullPool)
    await with_roles(engine, partial(ensure_schema, schema=schema, root_key=MOVED))
    await engine.dispose()
    assert await who_can() == [False, True, True, True]
