"""What can go wrong with referrals."""

from typing import Literal

from shared.errors import Conflict, NotFound

Refusal = Literal["same_person", "ring", "already_referred", "not_new"]


class NoReferralProgramme(Conflict):
    """The shop gives nothing for friends, or not now."""

    code = "no_referral_programme"
    title = "The shop has no referral programme that is active"


class ReferralProgrammeNotFound(NotFound):
    """The shop has decided on none so far."""

    code = "referral_programme_not_found"
    title = "There is no referral programme"


class ReferralCodeNotFound(NotFound):
    """Nobody has such a code."""

    code = "referral_code_not_found"
    title = "There is no such referral code"


class ReferralNotFound(NotFound):
    """No such referral in this tenant."""

    code = "referral_not_found"
    title = "There is no such referral"


class ReferralRefused(Conflict):
    """This friend cannot be brought by this person; `reason` says why."""

    code = "referral_refused"
    title = "This is no referral"

    def __init__(self, reason: Refusal) -> None:
        super().__init__(extensions={"reason": reason})
