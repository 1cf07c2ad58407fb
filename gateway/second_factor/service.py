"""Setting up and giving up a second factor."""

from dataclasses import replace
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from gateway.access.passwords import Passwords
from gateway.access.trail import Device, record_access
from gateway.second_factor import codes
from gateway.second_factor.errors import (
    CodeNotValid,
    NoSecondFactor,
    PasswordNotRight,
    SecondFactorExists,
)
from gateway.second_factor.repository import SecondFactorRepository
from gateway.second_factor.schemas import SecondFactorEnrolment, SecondFactorRead
from gateway.second_factor.verifying import CodeVerifier
from gateway.staff.appointing import Appointing
from gateway.staff.news import tell
from gateway.staff.record import StaffRecord
from gateway.staff.repository import StaffRepository
from shared.db.unit_of_work import UnitOfWork
from shared.security.keys import SecretBox


class Sessions(Protocol):
    """What second factors need of the sessions, which in turn ask for codes."""

    async def end_all(self, staff_id: UUID, *, reason: str) -> None:
        """Log a member of staff out everywhere."""
        ...

    async def feel_change(self, *staff_ids: UUID) -> None:
        """Have what the members may do looked up anew, here at once."""
        ...


class Guesses(Protocol):
    """Counts wrong passwords and codes, and slows down who gives too many."""

    async def admit(self, subject: str, client_ip: str | None, *, what: Literal["proof"]) -> None:
        """Raises TooManyLogins."""
        ...

    async def succeeded(
        self, subject: str, client_ip: str | None, *, what: Literal["proof"]
    ) -> None:
        """It was no guess."""
        ...


class SecondFactorService:
    """What a member of staff does with their own second factor, and an admin with another's."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        staff: StaffRepository,
        passwords: Passwords,
        box: SecretBox,
        verifier: CodeVerifier,
        sessions: Sessions,
        guesses: Guesses,
        device: Device,
    ) -> None:
        self._uow = uow
        self._staff = staff
        self._passwords = passwords
        self._box = box
        self._verifier = verifier
        self._sessions = sessions
        self._guesses = guesses
        self._device = device

    async def describe(self, staff_id: UUID) -> SecondFactorRead:
        """What there is."""
        member = await self._staff.get(staff_id)
        left = await SecondFactorRepository(self._uow, staff_id).codes_left()
        return SecondFactorRead(
            enabled=member.second_factor_at is not None,
            required=member.role_ref in member.policy.second_factor_for,
            recovery_codes_left=left,
        )

    async def enrol(self, staff_id: UUID, *, password: str, issuer: str) -> SecondFactorEnrolment:
        """A secret for the app, which is not asked for before it was confirmed.

        Raises PasswordNotRight, SecondFactorExists, TooManyLogins.
        """
        member = await self._proven(staff_id, password)
        secret = codes.new_secret()
        sealed = self._box.seal({"secret": secret})
        if not await SecondFactorRepository(self._uow, staff_id).begin(sealed):
            raise SecondFactorExists
        uri = codes.enrolment_uri(secret, account=member.email, issuer=issuer)
        return SecondFactorEnrolment(secret=secret, uri=uri)

    async def confirm(self, staff_id: UUID, code: str) -> list[str]:
        """Recovery codes; from now on logging in takes a code.

        Raises CodeNotValid, NoSecondFactor, SecondFactorExists.
        """
        member = await self._staff.lock(staff_id)
        factors = SecondFactorRepository(self._uow, staff_id)
        enrolment = await factors.lock()
        if enrolment is None:
            raise NoSecondFactor
        if enrolment.confirmed_at is not None:
            raise SecondFactorExists
        now = self._uow.clock.now()
        secret = self._box.open(enrolment.sealed_secret)["secret"]
        step = codes.matching_step(secret, code, at=now, after=enrolment.last_step)
        if step is None:
            raise CodeNotValid
        await factors.spend_step(step)
        await factors.confirm()
        await self._switch(member, since=now)
        record_access(self._uow, "auth.secondFactorEnabled", staff_id, device=self._device)
        return await self._new_codes(factors)

    async def renew_codes(self, staff_id: UUID, *, password: str, code: str) -> list[str]:
        """New recovery codes; the old ones are good for nothing.

        Raises PasswordNotRight, CodeNotValid, NoSecondFactor, TooManyLogins.
        """
        await self._proven(staff_id, password, code)
        record_access(self._uow, "auth.recoveryCodesRenewed", staff_id, device=self._device)
        return await self._new_codes(SecondFactorRepository(self._uow, staff_id))

    async def disable(self, staff_id: UUID, *, password: str, code: str) -> None:
        """Log in without a code from now on.

        Raises PasswordNotRight, CodeNotValid, NoSecondFactor, TooManyLogins.
        """
        member = await self._proven(staff_id, password, code)
        await SecondFactorRepository(self._uow, staff_id).delete()
        await self._switch(member, since=None)
        record_access(self._uow, "auth.secondFactorDisabled", staff_id, device=self._device)

    async def remove(self, staff_id: UUID, *, appointing: Appointing) -> None:
        """Take the second factor from somebody who has lost it; it ends their sessions.

        Raises StaffNotFound, RoleNotGrantable, NoSecondFactor.
        """
        member = await self._staff.lock(staff_id)
        await appointing.check_may_touch(member)
        if member.second_factor_at is None:
            raise NoSecondFactor
        await SecondFactorRepository(self._uow, staff_id).delete()
        await self._switch(member, since=None)
        await self._sessions.end_all(staff_id, reason="second_factor_removed")

    async def _proven(self, staff_id: UUID, password: str, code: str | None = None) -> StaffRecord:
        """The member, who gave their password, and a code where one is asked for."""
        guesser, client_ip = staff_id.hex, self._device.client_ip
        await self._guesses.admit(guesser, client_ip, what="proof")
        member = await self._staff.lock(staff_id)
        if not await self._passwords.verify(password, member.password_hash):
            raise PasswordNotRight
        if code is not None:
            if member.second_factor_at is None:
                raise NoSecondFactor
            if await self._verifier.take(self._uow, staff_id, code) is None:
                raise CodeNotValid
        await self._guesses.succeeded(guesser, client_ip, what="proof")
        return member

    async def _switch(self, member: StaffRecord, *, since: datetime | None) -> None:
        now = self._uow.clock.now()
        after = replace(member, second_factor_at=since, updated_at=now, version=member.version + 1)
        await self._staff.save(after)
        tell(self._uow, after)
        await self._sessions.feel_change(member.id)

    async def _new_codes(self, factors: SecondFactorRepository) -> list[str]:
        fresh = codes.new_recovery_codes()
        await factors.replace_codes([codes.recovery_digest(code) for code in fresh])
        return fresh
