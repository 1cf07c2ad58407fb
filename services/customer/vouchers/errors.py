"""What can go wrong with vouchers."""

from services.customer.vouchers.terms import Refusal
from shared.errors import Conflict, NotFound


class VoucherNotFound(NotFound):
    """No such voucher in this tenant."""

    code = "voucher_not_found"
    title = "There is no such voucher"


class VoucherCodeNotFound(NotFound):
    """Nobody was given such a code."""

    code = "voucher_code_not_found"
    title = "There is no such code"


class VoucherCodeTaken(Conflict):
    """A code is given once."""

    code = "voucher_code_taken"
    title = "There is such a code already"


class VoucherRedemptionNotFound(NotFound):
    """No such redemption in this tenant."""

    code = "voucher_redemption_not_found"
    title = "There is no such redemption"


class VoucherRefused(Conflict):
    """The voucher is not for this order, now, or this customer; `reason` says why."""

    code = "voucher_refused"
    title = "The voucher cannot be used here"

    def __init__(self, reason: Refusal) -> None:
        super().__init__(extensions={"reason": reason})
