"""What others are told of points, in the unit of work that moves them."""

from collections.abc import Collection, Mapping
from typing import Final
from uuid import UUID

from services.customer.loyalty.book import Book
from services.customer.loyalty.lots import Balance, Move, MoveKind
from shared.contracts.loyalty import (
    PointsAdjusted,
    PointsBalance,
    PointsBecameAvailable,
    PointsEarned,
    PointsExpired,
    PointsExpiring,
    PointsRedeemed,
    PointsRestored,
    PointsReversed,
    PointsState,
)
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id

_PointsEvent = (
    PointsEarned
    | PointsBecameAvailable
    | PointsRedeemed
    | PointsRestored
    | PointsAdjusted
    | PointsReversed
    | PointsExpiring
    | PointsExpired
)
_EVENTS: Final[Mapping[MoveKind, type[_PointsEvent]]] = {
    "earned": PointsEarned,
    "available": PointsBecameAvailable,
    "redeemed": PointsRedeemed,
    "restored": PointsRestored,
    "adjusted": PointsAdjusted,
    "reversed": PointsReversed,
    "expiring": PointsExpiring,
    "expired": PointsExpired,
}


def tell_moves(uow: UnitOfWork, book: Book, *, silent: Collection[UUID] = ()) -> None:
    """Tell what a book has moved. Everybody hears what they have after all of it.

    Of `silent` families nothing is told.
    """
    moves = [move for move in book.moves if move.root_id not in silent]
    if not moves:
        return
    balances = book.balances()
    for move in moves:
        state = _state(move, balances[move.root_id])
        uow.append(_EVENTS[move.kind](movement=state), key=move.root_id)


def _state(move: Move, balance: Balance) -> PointsState:
    lot = move.lot
    return PointsState(
        movement_id=new_id(),
        customer_id=move.root_id,
        record_id=lot.customer_id if lot else None,
        points=move.points,
        cause=lot.kind if lot else None,
        order_id=lot.order_id if lot else None,
        redemption_id=move.redemption_id,
        note=move.note,
        available_at=lot.available_at if lot else None,
        expires_at=lot.expires_at if lot else move.expires_at,
        balance=PointsBalance(
            available=balance.available, pending=balance.pending, owed=balance.owed
        ),
    )
