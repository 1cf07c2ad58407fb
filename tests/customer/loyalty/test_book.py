"""The arithmetic of points, against what anybody would reckon, whatever happens in which order."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import example, given
from hypothesis import strategies as st

from services.customer.loyalty.book import Book
from services.customer.loyalty.errors import InsufficientPoints
from services.customer.loyalty.lots import Lot, Posting
from services.customer.loyalty.terms import months_later, order_points
from shared.ids import new_id
from tests.customer.loyalty.shop import START

ROOT, OTHER = UUID(int=1), UUID(int=2)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("grant"), st.sampled_from([ROOT, OTHER]), st.integers(0, 50)),
        st.tuples(st.just("correct"), st.integers(0, 5), st.integers(0, 50)),
        st.tuples(st.just("spend"), st.just(ROOT), st.integers(1, 80)),
        st.tuples(st.just("restore"), st.integers(0, 5), st.just(0)),
        st.tuples(st.just("wait"), st.just(ROOT), st.integers(1, 4)),
    ),
    max_size=25,
)


# Taken back after it was spent, given back after its time.
SPENT_TAKEN_BACK_OVER_RESTORED = [
    ("grant", ROOT, 10),
    ("wait", ROOT, 2),
    ("spend", ROOT, 10),
    ("correct", 0, 4),
    ("wait", ROOT, 4),
    ("restore", 0, 0),
]


@given(STEPS)
@example(SPENT_TAKEN_BACK_OVER_RESTORED)
def test_accounts_hold_what_lots_do_and_nothing_falls_below_zero(steps) -> None:
    now, lots, postings = START, [], []
    granted = taken = spent = 0
    redeemed: list[list[Posting]] = []
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
                redeemed.append([each for each in book.postings if each.kind == "redeem"])
                spent += number
            except InsufficientPoints:
                assert before < number
        elif what == "restore" and redeemed:
            for part in redeemed.pop(who % len(redeemed)):
                _restore(book, part)
                spent -= part.points
        elif what == "wait":
            now += timedelta(days=number)
        lots = list(book)
        postings += book.postings
        _check(lots, postings)
    expired = sum(lot.expired for lot in lots)
    held = sum(lot.remaining - lot.owed for lot in lots)
    assert held == granted - taken - spent - expired


def _restore(book: Book, part: Posting) -> None:
    before = {lot.id: lot for lot in book}[part.lot_id]
    book.restore(part.lot_id, part.points, redemption_id=new_id())
    after = {lot.id: lot for lot in book}[part.lot_id]
    assert after.owed <= max(before.owed - part.points, 0)
    assert after.expired - before.expired <= max(part.points - before.owed, 0)


class Counted(dict[UUID, UUID]):
    """Who stands for whom, and how often that was asked."""

    asked = 0

    def __getitem__(self, customer_id: UUID) -> UUID:
        self.asked += 1
        return super().__getitem__(customer_id)


def test_what_becomes_available_of_twice_as_many_takes_twice_as_much() -> None:
    assert _asked_of(80) == 2 * _asked_of(40)


def _asked_of(families: int) -> int:
    """How much is asked when something becomes available for each, who all owe something."""
    roots = Counted({UUID(int=n): UUID(int=n) for n in range(families)})
    due = [replace(_lot(root, START), points=5, remaining=5) for root in list(roots)]
    debts = [replace(_lot(root, START), matured_at=START, owed=5) for root in list(roots)]
    book = Book(due + debts, roots=roots, now=START + timedelta(days=3))
    book.keep_time()
    assert sum(lot.owed + lot.remaining for lot in book) == 0
    return roots.asked


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
