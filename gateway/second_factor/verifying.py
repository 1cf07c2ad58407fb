"""Taking a code, once."""

from typing import Literal
from uuid import UUID

from gateway.second_factor.codes import DIGITS, matching_step, recovery_digest
from gateway.second_factor.repository import SecondFactorRepository
from shared.db.unit_of_work import UnitOfWork
from shared.security.keys import SecretBox

Means = Literal["app", "recovery_code"]


class CodeVerifier:
    """Knows whether a code is right; whoever asks at the same time waits for the answer."""

    def __init__(self, box: SecretBox) -> None:
        self._box = box

    async def take(self, uow: UnitOfWork, staff_id: UUID, code: str) -> Means | None:
        """By what a confirmed second factor was proven; None when it was not.

        A code of the app is good once, a recovery code too; both are spent by this.
        """
        factors = SecondFactorRepository(uow, staff_id)
        enrolment = await factors.lock()
        if enrolment is None or enrolment.confirmed_at is None:
            return None
        if not _is_of_app(code):
            return "recovery_code" if await factors.spend_code(recovery_digest(code)) else None
        secret = self._box.open(enrolment.sealed_secret)["secret"]
        step = matching_step(secret, code, at=uow.clock.now(), after=enrolment.last_step)
        if step is None:
            return None
        await factors.spend_step(step)
        return "app"


def _is_of_app(code: str) -> bool:
    return len(code) == DIGITS and code.isascii() and code.isdigit()
