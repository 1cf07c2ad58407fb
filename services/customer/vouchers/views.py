"""Vouchers as the API shows them."""

from typing import Any

from sqlalchemy import Row

from services.customer.vouchers.schemas import VoucherQuote, VoucherRead, VoucherRedemptionRead
from services.customer.vouchers.service import Quote
from shared.money import Money, MoneyRead


def voucher_view(row: Row[*tuple[Any, ...]]) -> VoucherRead:
    """The voucher in a row."""
    limit = row.limit_total
    return VoucherRead.model_validate(
        {
            **row._mapping,
            "value": _money(row.value_minor, row.currency),
            "max_discount": _money(row.max_discount_minor, row.currency),
            "min_order": _money(row.min_order_minor, row.currency),
            "left": None if limit is None else limit - row.redeemed,
        }
    )


def quote_view(quote: Quote, voucher: Row[*tuple[Any, ...]]) -> VoucherQuote:
    """What a voucher would be worth."""
    return VoucherQuote(
        voucher_id=quote.voucher_id,
        discount=_certain(quote.discount_minor, quote.currency),
        payable=_certain(quote.order_minor - quote.discount_minor, quote.currency),
        gift=voucher.gift,
        capped_by=quote.capped_by,
    )


def redemption_view(row: Row[*tuple[Any, ...]]) -> VoucherRedemptionRead:
    """The use of a voucher in a row."""
    return VoucherRedemptionRead.model_validate(
        {
            **row._mapping,
            "order_total": _certain(row.order_minor, row.currency),
            "discount": _certain(row.discount_minor, row.currency),
            "payable": _certain(row.order_minor - row.discount_minor, row.currency),
        }
    )


def _money(minor: int | None, currency: str) -> MoneyRead | None:
    return None if minor is None else _certain(minor, currency)


def _certain(minor: int, currency: str) -> MoneyRead:
    return MoneyRead.of(Money(minor, currency))
