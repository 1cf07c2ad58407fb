"""Points that came together, what moves between their accounts, and what somebody has."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from typing import Any, Literal, Self
from uuid import UUID

from sqlalchemy import Row

LotKind = Literal["order", "event", "referral", "adjustment"]
EntryKind = Literal["earn", "mature", "reverse", "settle", "redeem", "restore", "expire", "adjust"]
Account = Literal[
    "issued", "pending", "available", "owed", "redeemed", "expired", "reversed", "adjusted"
]

MoveKind = Literal[
    "earned", "available", "redeemed", "restored", "adjusted", "reversed", "expiring", "expired"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Lot:
    """Points that came together: `points` were granted and not taken back, `remaining` are left.

    Of those that were spent before they were taken back, `owed` are still to be paid.
    """

    id: UUID
    customer_id: UUID
    kind: LotKind
    cause: str
    order_id: UUID | None = None
    rule_id: UUID | None = None
    points: int = 0
    remaining: int = 0
    expired: int = 0
    owed: int = 0
    amount_minor: int = 0
    multiplier_percent: int = 100
    terms: tuple[Mapping[str, Any], ...] = ()
    earned_at: datetime
    available_at: datetime
    matured_at: datetime | None = None
    expires_at: datetime | None = None
    expiry_told_at: datetime | None = None

    @classmethod
    def of(cls, row: Row[*tuple[Any, ...]]) -> Self:
        """The lot in a row that has its columns."""
        columns = {name: getattr(row, name) for name in LOT_COLUMNS}
        return cls(**{**columns, "terms": tuple(columns["terms"])})

    def as_row(self) -> dict[str, Any]:
        """The columns by name."""
        return {**asdict(self), "terms": list(self.terms)}

    @property
    def account(self) -> Account:
        """Where what is left of it is kept."""
        return "pending" if self.matured_at is None else "available"


@dataclass(frozen=True, slots=True, kw_only=True)
class Posting:
    """`points` moved from the account `debit` to the account `credit` of a customer's lot."""

    id: UUID
    customer_id: UUID
    lot_id: UUID
    order_id: UUID | None
    kind: EntryKind
    debit: Account
    credit: Account
    points: int
    redemption_id: UUID | None
    note: str | None
    actor_id: str | None
    created_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """Points of a family that moved together, as others are told of it.

    `lot` is the one that it is about; there is none where lots are spent as it comes.
    """

    kind: MoveKind
    root_id: UUID
    points: int
    lot: Lot | None = None
    redemption_id: UUID | None = None
    note: str | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Balance:
    """What somebody has: to spend now, later, and what they spent and lost; never below zero."""

    available: int
    pending: int
    owed: int


@dataclass(frozen=True, slots=True)
class NextExpiry:
    """What ends next of what somebody can spend, all of one moment together."""

    points: int
    at: datetime


LOT_COLUMNS = tuple(field.name for field in fields(Lot))
POSTING_COLUMNS = tuple(field.name for field in fields(Posting))
