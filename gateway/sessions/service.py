"""Logging in and staying logged in.

Who logs in has no tenant yet; it is found on the way. So this service opens units of work itself,
one per tenant it looks into, and commits what it decided even when the answer is a refusal: a
session that a stolen refresh token reached must stay ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from gateway.access.opaque import OpaqueToken, secret_matches
from gateway.access.passwords import Passwords
from gateway.access.tokens import AccessTokens, IssuedToken
from gateway.directory.directory import Directory
from gateway.sessions.errors import LoginFailed, RefreshTokenRefused, ShopRequired
from gateway.sessions.guard import LoginGuard
from gateway.sessions.repository import SessionRepository
from gateway.staff.record import StaffRecord, email_key
from gateway.staff.repository import StaffRepository
from gateway.tenants.repository import TenantRepository
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId, new_id

_log = structlog.get_logger(__name__)
_PREFIX = "clr"

_Account = tuple[TenantId, StaffRecord]


@dataclass(frozen=True, slots=True)
class SessionLife:
    """How long the tokens of a session are good."""

    access: timedelta
    refresh: timedelta
    session: timedelta


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session with its current tokens."""

    staff: StaffRecord
    access: IssuedToken
    refresh: OpaqueToken
    refresh_expires_at: datetime


class SessionService:
    """Sessions of staff."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        directory: Directory,
        passwords: Passwords,
        tokens: AccessTokens,
        life: SessionLife,
        guard: LoginGuard,
    ) -> None:
        self._units = units
        self._directory = directory
        self._passwords = passwords
        self._tokens = tokens
        self._life = life
        self._guard = guard

    async def log_in(self, *, email: str, password: str, shop: str | None) -> OpenSession:
        """A new session.

        Raises LoginFailed, TooManyLogins; ShopRequired when the password fits in several shops.
        """
        key = email_key(email)
        self._guard.check(key)
        fitting = await self._fitting(await self._accounts(key, shop), password)
        if not fitting:
            self._guard.failed(key)
            raise LoginFailed
        self._guard.succeeded(key)
        if len(fitting) > 1:
            raise ShopRequired(await self._slugs([tenant_id for tenant_id, _ in fitting]))
        tenant_id, staff = fitting[0]
        async with self._units.begin(tenant_id) as uow:
            session_id = await self._begin(uow, staff)
            opened = await self._issue(uow, staff, session_id)
            await uow.commit()
        return opened

    async def refresh(self, text: str) -> OpenSession:
        """New tokens for a refresh token, which is spent by it.

        A token that was spent before ends its session: either it was stolen or what was issued
        for it was, and nobody can tell the thief from the owner. Raises RefreshTokenRefused.
        """
        token = OpaqueToken.parse(text, prefix=_PREFIX)
        if token is None:
            raise RefreshTokenRefused
        async with self._units.begin(token.tenant_id) as uow:
            opened = await self._exchange(uow, token)
            await uow.commit()
        if opened is None:
            raise RefreshTokenRefused
        return opened

    async def log_out(self, text: str) -> None:
        """End the session of a refresh token; unknown tokens are let pass."""
        token = OpaqueToken.parse(text, prefix=_PREFIX)
        if token is None:
            return
        async with self._units.begin(token.tenant_id) as uow:
            sessions = SessionRepository(uow)
            found = await sessions.lock_token(token.id)
            if found is not None and secret_matches(token.secret, found.digest):
                await sessions.end(found.session_id, reason="logged_out")
            await uow.commit()

    async def _accounts(self, key: str, shop: str | None) -> Sequence[_Account]:
        """Where somebody with this address may log in."""
        tenants = await self._directory.find("staff", key)
        if shop is not None:
            chosen = await self._directory.find_one("shop", shop)
            tenants = [tenant_id for tenant_id in tenants if tenant_id == chosen]
        accounts: list[_Account] = []
        for tenant_id in tenants:
            async with self._units.begin(tenant_id) as uow:
                staff = await StaffRepository(uow).find_by_email(key)
            if staff is not None and staff.active:
                accounts.append((tenant_id, staff))
        return accounts

    async def _fitting(self, accounts: Sequence[_Account], password: str) -> list[_Account]:
        if not accounts:
            # Nobody must learn from the time it takes that an address is unknown.
            await self._passwords.verify(password, None)
        return [
            (tenant_id, staff)
            for tenant_id, staff in accounts
            if await self._passwords.verify(password, staff.password_hash)
        ]

    async def _slugs(self, tenants: Sequence[TenantId]) -> list[str]:
        slugs = []
        for tenant_id in tenants:
            async with self._units.begin(tenant_id) as uow:
                shop = await TenantRepository(uow).find()
            slugs += [shop.slug] if shop else []
        return slugs

    async def _begin(self, uow: UnitOfWork, staff: StaffRecord) -> UUID:
        session_id = new_id()
        expires_at = uow.clock.now() + self._life.session
        await SessionRepository(uow).begin(session_id, staff_id=staff.id, expires_at=expires_at)
        return session_id

    async def _exchange(self, uow: UnitOfWork, token: OpaqueToken) -> OpenSession | None:
        sessions = SessionRepository(uow)
        found = await sessions.lock_token(token.id)
        if found is None or not secret_matches(token.secret, found.digest):
            return None
        if found.spent_at is not None:
            await sessions.end(found.session_id, reason="refresh_token_reused")
            _log.warning("refresh_token_reused", session=str(found.session_id))
            return None
        ends = min(found.expires_at, found.session_expires_at)
        if found.ended_at is not None or ends <= uow.clock.now():
            return None
        staff = await StaffRepository(uow).find(found.staff_id)
        if staff is None or not staff.active:
            return None
        await sessions.spend(token.id)
        return await self._issue(uow, staff, found.session_id)

    async def _issue(self, uow: UnitOfWork, staff: StaffRecord, session_id: UUID) -> OpenSession:
        access = self._tokens.for_staff(
            uow.tenant_id, staff.id, role=staff.role, life=self._life.access
        )
        refresh = OpaqueToken.issue(_PREFIX, uow.tenant_id)
        expires_at = uow.clock.now() + self._life.refresh
        await SessionRepository(uow).add_token(
            refresh, session_id=session_id, expires_at=expires_at
        )
        return OpenSession(staff, access, refresh, expires_at)
