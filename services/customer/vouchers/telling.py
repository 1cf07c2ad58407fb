"""What others are told of vouchers."""

from typing import Any
from uuid import UUID

from sqlalchemy import Row

from shared.contracts.loyalty import VoucherCodeState, VoucherRedemptionState


def code_state(
    code: Row[*tuple[Any, ...]], voucher: Row[*tuple[Any, ...]], person_id: UUID
) -> VoucherCodeState:
    """A code that somebody was given."""
    return VoucherCodeState(
        code_id=code.id,
        voucher_id=voucher.id,
        customer_id=person_id,
        code=code.code,
        name=voucher.name,
        kind=voucher.kind,
        percent=voucher.percent,
        currency=voucher.currency,
        value_minor=voucher.value_minor or 0,
        gift=voucher.gift,
        valid_from=voucher.valid_from,
        valid_until=voucher.valid_until,
        issued_at=code.created_at,
    )


def redemption_state(
    row: Row[*tuple[Any, ...]], code: str, person_id: UUID | None
) -> VoucherRedemptionState:
    """A use of a code."""
    return VoucherRedemptionState(
        redemption_id=row.id,
        voucher_id=row.voucher_id,
        code_id=row.code_id,
        code=code,
        customer_id=person_id,
        status=row.status,
        currency=row.currency,
        order_minor=row.order_minor,
        discount_minor=row.discount_minor,
        reference=row.reference,
        redeemed_at=row.created_at,
        cancelled_at=row.cancelled_at,
    )
