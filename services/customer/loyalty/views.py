"""The programme and the accounts as the API shows them."""

from typing import Any

from sqlalchemy import Row

from services.customer.loyalty.accounts import Account, Redemption
from services.customer.loyalty.schemas import (
    AccountRead,
    AccountTier,
    EntryRead,
    NextExpiry,
    ProgrammeRead,
    RedemptionRead,
    RuleRead,
)
from shared.money import Money, MoneyRead


def programme_view(row: Row[*tuple[Any, ...]]) -> ProgrammeRead:
    """The programme in a row."""
    point_value = _money(row.point_value_minor, row.currency)
    return ProgrammeRead.model_validate({**row._mapping, "point_value": point_value})


def rule_view(row: Row[*tuple[Any, ...]]) -> RuleRead:
    """The rule in a row."""
    per_amount = None if row.currency is None else _money(row.per_amount_minor, row.currency)
    return RuleRead.model_validate({**row._mapping, "per_amount": per_amount})


def account_view(account: Account) -> AccountRead:
    """What somebody has."""
    balance, programme = account.balance, account.programme
    tier, expiry = account.tier, account.next_expiry
    return AccountRead(
        customer_id=account.customer_id,
        available=balance.available,
        pending=balance.pending,
        owed=balance.owed,
        value=_money(balance.available * programme.point_value_minor, programme.currency),
        next_expiry=NextExpiry(points=expiry.points, at=expiry.at) if expiry else None,
        tier=AccountTier(
            id=tier.id,
            name=tier.name,
            multiplier_percent=tier.multiplier_percent,
            grace_until=account.grace_until,
        )
        if tier
        else None,
    )


def entry_view(row: Row[*tuple[Any, ...]]) -> EntryRead:
    """An entry, and what it did to what can be spent."""
    change = row.points * ((row.credit == "available") - (row.debit == "available"))
    return EntryRead.model_validate({**row._mapping, "change": change})


def redemption_view(redemption: Redemption) -> RedemptionRead:
    """A redemption, and what is left."""
    columns = redemption.columns
    value = _money(columns["value_minor"], columns["currency"])
    return RedemptionRead.model_validate(
        {**columns, "value": value, "available": redemption.available}
    )


def _money(minor: int, currency: str) -> MoneyRead:
    return MoneyRead.of(Money(minor, currency))
