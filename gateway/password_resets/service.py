"""A new password for who does not know the old one, or has none yet, and for who knows it."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from uuid import UUID

from gateway.access.passwords import Passwords
from gateway.access.trail import Device, record_access
from gateway.background import Background
from gateway.password_resets.errors import ResetNotValid
from gateway.password_resets.links import LinkMaking, PasswordLinks
from gateway.password_resets.repository import PasswordResetRepository, Reset
from gateway.second_factor.errors import PasswordNotRight
from gateway.sessions.accounts import Accounts
from gateway.sessions.ending import SessionEnding
from gateway.sessions.guard import LoginGuard, TooManyLogins
from gateway.staff.news import tell
from gateway.staff.record import StaffRecord, email_key
from gateway.staff.repository import StaffRepository
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.errors import NotFound
from shared.ids import TenantId
from shared.security.link_tokens import LinkTarget


class NewPasswords:
    """Gives members of one shop new passwords, inside one unit of work."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        accounts: Accounts,
        ending: SessionEnding,
        passwords: Passwords,
        guard: LoginGuard,
    ) -> None:
        self._uow = uow
        self._staff = StaffRepository(uow)
        self._resets = PasswordResetRepository(uow)
        self._accounts = accounts
        self._ending = ending
        self._passwords = passwords
        self._guard = guard

    async def find(self, reset_id: UUID) -> StaffRecord:
        """Whose password a link is about. Raises ResetNotValid."""
        reset = self._checked(await self._resets.find(reset_id))
        return _checked_member(await self._staff.get(reset.staff_id))

    async def redeem(self, reset_id: UUID, password: str, *, device: Device) -> StaffRecord:
        """The member, whose password is another now and who is logged in nowhere.

        Raises ResetNotValid, WeakPassword.
        """
        expected = await self.find(reset_id)
        about = (expected.name, expected.email)
        password_hash = await self._passwords.choose(password, about=about)
        # The member first, as everywhere: two who lock the same meet in no deadlock.
        member = _checked_member(await self._staff.lock(expected.id))
        self._checked(await self._resets.lock(reset_id))
        after = await self._write(member, password_hash)
        await self._ending.end_all(member.id, reason="password_reset")
        record_access(self._uow, "auth.passwordReset", member.id, device=device)
        self._uow.after_commit(partial(self._unlock, member.email_key))
        return after

    async def change_own(
        self,
        staff_id: UUID,
        *,
        current: str,
        wanted: str,
        session_id: UUID | None,
        device: Device,
    ) -> None:
        """Have another password, and stay logged in only where it was changed.

        Raises PasswordNotRight, WeakPassword, TooManyLogins.
        """
        guesser = staff_id.hex
        await self._guard.admit(guesser, device.client_ip, what="proof")
        member = await self._staff.get(staff_id)
        if not await self._passwords.verify(current, member.password_hash):
            raise PasswordNotRight("/body/current_password")
        await self._guard.succeeded(guesser, device.client_ip, what="proof")
        password_hash = await self._passwords.choose(
            wanted, about=(member.name, member.email), pointer="/body/new_password"
        )
        locked = await self._staff.lock(staff_id)
        if not locked.is_let_in_as(member):
            raise PasswordNotRight("/body/current_password")
        await self._write(locked, password_hash)
        await self._ending.end_others(staff_id, but_for=session_id, reason="password_changed")
        record_access(self._uow, "auth.passwordChanged", staff_id, device=device)

    async def _unlock(self, key: str) -> None:
        """Forget the guesses at an address, if they were at no other shop's password.

        A shop can read the mails that it sends, and is not to wipe out guesses at another's.
        """
        accounts = await self._accounts.find(key, shop=None)
        if [account.tenant_id for account in accounts] == [self._uow.tenant_id]:
            await self._guard.succeeded(key, None)

    def _checked(self, reset: Reset | None) -> Reset:
        if reset is None or reset.used_at is not None or reset.expires_at <= self._uow.clock.now():
            raise ResetNotValid
        return reset

    async def _write(self, member: StaffRecord, password_hash: str) -> StaffRecord:
        after = replace(
            member,
            password_hash=password_hash,
            updated_at=self._uow.clock.now(),
            version=member.version + 1,
        )
        await self._staff.save(after)
        await self._resets.spend_all(member.id)
        tell(self._uow, after)
        return after


class PasswordResets:
    """What somebody without a session asks for; opens units of work itself, as a login does."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        accounts: Accounts,
        making: LinkMaking,
        background: Background,
        guard: LoginGuard,
        renewing: Callable[[UnitOfWork], NewPasswords],
    ) -> None:
        self._units = units
        self._accounts = accounts
        self._making = making
        self._background = background
        self._guard = guard
        self._renewing = renewing

    def request(self, *, email: str, shop: str | None, device: Device) -> None:
        """Have a link sent to an address, to each shop that knows it.

        It is looked for after the answer, so that neither the answer nor its time tells whether
        anybody has the address.
        """
        self._background.start("password_reset", self._send(email_key(email), shop, device))

    async def redeem(self, token: str, password: str, *, device: Device) -> None:
        """The new password of whoever the link was sent to. Raises ResetNotValid, WeakPassword."""
        target = self.target(token)
        async with self._units.begin(target.tenant_id) as uow:
            await self._renewing(uow).redeem(target.subject_id, password, device=device)
            await uow.commit()

    def target(self, token: str) -> LinkTarget:
        """The link that a token is of. Raises ResetNotValid."""
        try:
            return self._making.tokens.verify(token)
        except NotFound as error:
            raise ResetNotValid from error

    async def _send(self, key: str, shop: str | None, device: Device) -> None:
        try:
            # Somebody's mailbox is not to be filled by others.
            await self._guard.admit(key, None, what="reset")
        except TooManyLogins:
            return
        for account in await self._accounts.find(key, shop=shop):
            await self._send_to(account.tenant_id, account.staff, device)

    async def _send_to(self, tenant_id: TenantId, member: StaffRecord, device: Device) -> None:
        async with self._units.begin(tenant_id) as uow:
            await PasswordLinks(uow=uow, making=self._making).send(member, "reset")
            record_access(uow, "auth.passwordResetRequested", member.id, device=device)
            await uow.commit()


def _checked_member(member: StaffRecord) -> StaffRecord:
    if not member.active:
        raise ResetNotValid
    return member
