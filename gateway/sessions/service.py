"""Logging in and staying logged in.

Who logs in has no tenant yet; it is found on the way. So this service opens units of work itself,
one per tenant it looks into, and commits what it decided even when the answer is a refusal: a
session that a stolen refresh token reached must stay ended.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import structlog
from sqlalchemy import Row

from gateway.access.opaque import OpaqueToken, secret_matches
from gateway.access.passwords import Passwords
from gateway.access.tokens import AccessTokens, IssuedToken, LoginChallenge, SessionClaim
from gateway.access.trail import Device, record_access
from gateway.background import Background
from gateway.second_factor.verifying import CodeVerifier
from gateway.sessions.accounts import Account, Accounts
from gateway.sessions.errors import (
    ChallengeRefused,
    LoginFailed,
    RefreshTokenRefused,
    SecondFactorRequired,
    ShopRequired,
)
from gateway.sessions.guard import LoginGuard
from gateway.sessions.live import LiveSessions
from gateway.sessions.repository import SessionRepository
from gateway.staff.record import StaffRecord, email_key
from gateway.staff.repository import StaffRepository
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import Unauthenticated
from shared.ids import new_id

_log = structlog.get_logger(__name__)
_PREFIX: Final = "clr"
_CHALLENGE_LIFE: Final = timedelta(minutes=5)


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
        accounts: Accounts,
        passwords: Passwords,
        tokens: AccessTokens,
        life: SessionLife,
        guard: LoginGuard,
        codes: CodeVerifier,
        live: LiveSessions,
        background: Background,
    ) -> None:
        self._units = units
        self._accounts = accounts
        self._passwords = passwords
        self._tokens = tokens
        self._life = life
        self._guard = guard
        self._codes = codes
        self._live = live
        self._background = background

    async def log_in(
        self, *, email: str, password: str, shop: str | None, device: Device
    ) -> OpenSession:
        """A new session.

        Raises LoginFailed, TooManyLogins; ShopRequired when the password fits in several shops;
        SecondFactorRequired when a code is to follow.
        """
        key = email_key(email)
        await self._guard.admit(key, device.client_ip)
        try:
            accounts = await self._accounts.find(key, shop=shop)
            fitting = await self._fitting(accounts, password)
            knows_all = bool(fitting) and await self._are_all(fitting, key, accounts, shop=shop)
        except Exception:
            await self._guard.was_no_guess(key, device.client_ip)
            raise
        if not fitting:
            self._note_failure(accounts, device)
            raise LoginFailed
        if knows_all:
            await self._guard.succeeded(key, device.client_ip)
        else:
            await self._guard.was_no_guess(key, device.client_ip)
        if len(fitting) > 1:
            slugs = await self._accounts.slugs([account.tenant_id for account in fitting])
            raise ShopRequired(slugs)
        [account] = fitting
        if account.staff.second_factor_at is not None:
            raise self._challenge(account)
        async with self._units.begin(account.tenant_id) as uow:
            member = await _lock_unchanged(uow, account.staff)
            if member is None:
                self._note_failure([account], device)
                raise LoginFailed
            opened = await self._open(uow, member, device, means="password")
            await uow.commit()
        return opened

    async def finish_log_in(self, *, challenge: str, code: str, device: Device) -> OpenSession:
        """A new session for who has given the password and now gives a code.

        Raises ChallengeRefused, TooManyLogins.
        """
        try:
            owed = self._tokens.read_challenge(challenge)
        except Unauthenticated as error:
            raise ChallengeRefused from error
        guesser = owed.staff_id.hex
        await self._guard.admit(guesser, device.client_ip, what="code")
        async with self._units.begin(owed.tenant_id) as uow:
            opened = await self._redeem(uow, owed, code, device)
            await uow.commit()
        if opened is None:
            raise ChallengeRefused
        await self._guard.succeeded(guesser, device.client_ip, what="code")
        return opened

    async def refresh(self, text: str, *, device: Device) -> OpenSession:
        """New tokens for a refresh token, which is spent by it.

        A token that was spent before ends its session: either it was stolen or what was issued
        for it was, and nobody can tell the thief from the owner. Raises RefreshTokenRefused.
        """
        token = OpaqueToken.parse(text, prefix=_PREFIX)
        if token is None:
            raise RefreshTokenRefused
        async with self._units.begin(token.tenant_id) as uow:
            opened = await self._exchange(uow, token, device)
            await uow.commit()
        if opened is None:
            raise RefreshTokenRefused
        return opened

    async def log_out(self, text: str, *, device: Device) -> None:
        """End the session of a refresh token; unknown tokens are let pass."""
        token = OpaqueToken.parse(text, prefix=_PREFIX)
        if token is None:
            return
        async with self._units.begin(token.tenant_id) as uow:
            found = await SessionRepository(uow).lock_token(token.id)
            if found is not None and secret_matches(token.secret, found.digest):
                await self._end(uow, found, reason="logged_out")
                record_access(uow, "auth.logout", found.staff_id, device=device)
            await uow.commit()

    async def _fitting(self, accounts: Sequence[Account], password: str) -> list[Account]:
        if not accounts:
            # Nobody must learn from the time it takes that an address is unknown.
            await self._passwords.verify(password, None)
        return [
            account
            for account in accounts
            if await self._passwords.verify(password, account.staff.password_hash)
        ]

    async def _are_all(
        self, fitting: Sequence[Account], key: str, asked: Sequence[Account], *, shop: str | None
    ) -> bool:
        """Whether the password fits wherever the address may log in.

        Who knows one shop's, which may be their own making, is not to wipe out the guesses at
        another's.
        """
        everywhere = asked if shop is None else await self._accounts.find(key, shop=None)
        return len(fitting) == len(everywhere)

    def _note_failure(self, accounts: Sequence[Account], device: Device) -> None:
        """Write a failed login down, when nobody waits for it and could measure it."""

        async def note(account: Account) -> None:
            async with self._units.begin(account.tenant_id) as uow:
                record_access(uow, "auth.loginFailed", account.staff.id, device=device)
                await uow.commit()

        for account in accounts:
            self._background.start("login_failed", note(account))

    def _challenge(self, account: Account) -> SecondFactorRequired:
        member = account.staff
        owed = LoginChallenge(account.tenant_id, member.id, member.version)
        issued = self._tokens.for_challenge(owed, life=_CHALLENGE_LIFE)
        return SecondFactorRequired(issued.text, seconds=issued.seconds)

    async def _redeem(
        self, uow: UnitOfWork, owed: LoginChallenge, code: str, device: Device
    ) -> OpenSession | None:
        member = await StaffRepository(uow).find_to_change(owed.staff_id)
        # Whoever was changed since (a new password, another role) gives the password again.
        if member is None or not member.active or member.version != owed.staff_version:
            return None
        means = await self._codes.take(uow, member.id, code)
        if means is None:
            record_access(uow, "auth.codeRefused", member.id, device=device)
            return None
        return await self._open(uow, member, device, means=means)

    async def _open(
        self, uow: UnitOfWork, member: StaffRecord, device: Device, *, means: str
    ) -> OpenSession:
        session_id = new_id()
        expires_at = uow.clock.now() + self._life.session
        await SessionRepository(uow).begin(
            session_id, staff_id=member.id, expires_at=expires_at, device=device
        )
        detail = {"session_id": str(session_id), "by": means}
        record_access(uow, "auth.login", member.id, device=device, detail=detail)
        return await self._issue(uow, member, session_id)

    async def _exchange(
        self, uow: UnitOfWork, token: OpaqueToken, device: Device
    ) -> OpenSession | None:
        sessions = SessionRepository(uow)
        found = await sessions.lock_token(token.id)
        if found is None or not secret_matches(token.secret, found.digest):
            return None
        if found.spent_at is not None:
            await self._end(uow, found, reason="refresh_token_reused")
            record_access(uow, "auth.refreshTokenReused", found.staff_id, device=device)
            _log.warning("refresh_token_reused", session=str(found.session_id))
            return None
        ends = min(found.expires_at, found.session_expires_at)
        if found.ended_at is not None or ends <= uow.clock.now():
            return None
        staff = await StaffRepository(uow).find(found.staff_id)
        if staff is None or not staff.active:
            return None
        await sessions.spend(token.id)
        await sessions.note_renewal(found.session_id, device)
        return await self._issue(uow, staff, found.session_id)

    async def _end(self, uow: UnitOfWork, found: Row[*tuple[Any, ...]], *, reason: str) -> None:
        session_id: UUID = found.session_id
        await SessionRepository(uow).end(session_id, reason=reason)

        async def forget() -> None:
            self._live.forget(session_id)

        uow.after_commit(forget)

    async def _issue(self, uow: UnitOfWork, staff: StaffRecord, session_id: UUID) -> OpenSession:
        claim = SessionClaim(uow.tenant_id, staff.id, session_id)
        access = self._tokens.for_staff(claim, life=self._life.access)
        refresh = OpaqueToken.issue(_PREFIX, uow.tenant_id)
        expires_at = uow.clock.now() + self._life.refresh
        await SessionRepository(uow).add_token(
            refresh, session_id=session_id, expires_at=expires_at
        )
        return OpenSession(staff, access, refresh, expires_at)


async def _lock_unchanged(uow: UnitOfWork, proven: StaffRecord) -> StaffRecord | None:
    """The member, kept from changing until the end; None when what was proven is not so any more.

    A reset, a lock-out and a second factor that came while the password was checked come first.
    """
    member = await StaffRepository(uow).find_to_change(proven.id)
    return member if member is not None and member.is_let_in_as(proven) else None
