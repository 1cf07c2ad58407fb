"""The arithmetic of points, against what anybody would reckon, whatever happens in which order."""

from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.customer.loyalty.book import Book, Lot
from services.customer.loyalty.errors import InsufficientPoints
from services.customer.loyalty.terms import months_later, order_points
from shared.ids import new_id
from tests.customer.loyalty.shop import START

ROOT, OTHER = UUID(int=1), UUID(int=2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.sampled_from([ROOT, OTHER]), st.integers(0, 50)),
        st.tuples(st.just("correct"), st.integers(0, 5), st.integers(0, 50)),
        st.tuples(st.just("spend"), st.just(ROOT), st.integers(1, 80)),
        st.tuples(st.just("wait"), st.just(ROOT), st.integers(1, 4)),
    ),
    max_size=25,
)


@given(STEPS)
def test_accounts_hold_what_lots_do_and_nothing_falls_below_zero(steps) -> None:
    now, lots, postings = START, [], []
    granted = taken = spent = 0
    for what, who, number in steps:
        book = Book(lots, roots={ROOT: ROOT, OTHER: ROOT}, now=now)
        book.keep_time()
        if what == "grant":
            book.grant(_lot(who, now), number)
            granted += number
        elif what == "correct" and lots:
            lot = lots[who % len(lots)]
            granted += max(number - lot.points, 0)
            taken += max(lot.points - number, 0)
            book.correct(lot.id, number, amount_minor=0)
        elif what == "spend":
            before = book.available(ROOT)
            try:
                book.spend(ROOT, number, kind="redeem")
                spent += number
            except InsufficientPoints:
                assert before < number
        elif what == "wait":
            now += timedelta(days=number)
        lots = list(book)
        postings += book.postings
        _check(lots, postings)
    expired = sum(lot.expired for lot in lots)
    held = sum(lot.remaining - lot.owed for lot in lots)
    assert held == granted - taken - spent - expired


def _lot(customer_id: UUID, now) -> Lot:
    lot_id = new_id()
    return Lot(
        id=lot_id,
        customer_id=customer_id,
        kind="order",
        cause=str(lot_id),
        earned_at=now,
        available_at=now + timedelta(days=2),
        expires_at=now + timedelta(days=6),
    )


def _check(lots, postings) -> None:
    for who in (ROOT, OTHER):
        sums: dict[str, int] = {}
        for posting in postings:
            if posting.customer_id == who:
                assert posting.points > 0
                sums[posting.debit] = sums.get(posting.debit, 0) - posting.points
                sums[posting.credit] = sums.get(posting.credit, 0) + posting.points
        own = [lot for lot in lots if lot.customer_id == who]
        assert all(min(lot.points, lot.remaining, lot.expired, lot.owed) >= 0 for lot in own)
        assert sums.get("available", 0) == sum(lot.remaining for lot in own if lot.matured_at)
        assert sums.get("pending", 0) == sum(lot.remaining for lot in own if not lot.matured_at)
        assert -sums.get("owed", 0) == sum(lot.owed for lot in own)


def test_each_rule_counts_full_amounts_and_the_sum_is_multiplied() -> None:
    terms = [{"points": 1, "per_amount_minor": 10_000}, {"points": 5, "per_amount_minor": 100_000}]
    assert order_points(terms, 259_999, 100) == 25 + 10
    assert order_points(terms, 259_999, 150) == 52
    assert order_points([], 259_999, 150) == 0
    assert order_points(terms, 2**63 - 1, 10_000) == 1_000_000_000


def test_months_end_with_their_last_day() -> None:
    day = START.date().replace(month=1, day=31)
    assert str(months_later(day, 1)) == "2027-02-28"
    assert str(months_later(day, 12)) == "2028-01-31"
    assert str(months_later(day, -2)) == "2026-11-30"
