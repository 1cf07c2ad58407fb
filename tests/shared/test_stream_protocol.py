"""The protocol of a stream under every schedule that a bad network and crashes can make.

Source and consumer are modelled by their durable state (what PostgreSQL keeps) and their memory
(what a crash takes); what they decide is decided by the code that runs in production.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from shared.ids import TenantId, new_id
from shared.stream.envelope import Batch, Envelope, StreamId
from shared.stream.protocol import (
    LAST_RESEND,
    MAX_BATCH_BYTES,
    MAX_BATCH_EVENTS,
    MAX_PARKED,
    MOST_RESENDS,
    WINDOW,
    Parking,
    Progress,
    Verdict,
    judge,
)
from shared.stream.relay import batches

STREAM = StreamId(TenantId(UUID(int=1)), "source")
START = datetime(2026, 1, 1, tzinfo=UTC)
WANTED = frozenset({"source.wanted"})
SWEEP = timedelta(seconds=1)


@lru_cache(maxsize=50_000)
def event_at(position: int, *, text: str = "", wanted: bool = True) -> Envelope:
    return Envelope(
        tenant_id=STREAM.tenant_id,
        source=STREAM.source,
        position=position,
        id=UUID(int=position),
        key=UUID(int=0),
        type="source.wanted" if wanted else "source.ignored",
        occurred_at=START,
        data={"text": text},
        context={},
    )


class Events(Mapping[int, Envelope]):
    """The events of every position; each third one does not interest the consumer."""

    def __getitem__(self, position: int) -> Envelope:
        return event_at(position, wanted=position % 3 != 0)

    def __iter__(self):
        raise NotImplementedError

    def __len__(self) -> int:
        raise NotImplementedError


EVENTS = Events()


@dataclass
class Source:
    """Durable: how far the stream is numbered and how far the consumer is known to be."""

    committed: int = 0
    numbered: int = 0
    progress: Progress = field(default_factory=lambda: Progress(0, 0, 0, START))

    @property
    def swept(self) -> bool:
        """Whether the sweep's two listings name the tenant."""
        return self.committed > self.numbered or self.progress.acked < self.progress.sent

    def pump(self, now: datetime) -> list[Batch]:
        self.numbered = self.committed
        return self._send(now)

    def acknowledge(self, position: int, now: datetime) -> list[Batch]:
        self.progress = self.progress.acknowledged(position, now)
        return self._send(now)

    def _send(self, now: datetime) -> list[Batch]:
        self.progress, positions = self.progress.step(self.numbered, now)
        return batches(STREAM, positions, EVENTS, WANTED) if positions else []


@dataclass
class Consumer:
    """Durable: cursor and effects, which move together. Memory: the parked batches."""

    cursor: int = 0
    applied: list[int] = field(default_factory=list)
    parking: Parking[Batch] = field(default_factory=Parking)

    def receive(self, batch: Batch) -> int | None:
        """The position to acknowledge."""
        if self._take(batch) is Verdict.GAP:
            self.parking.park(batch)
            return None
        while following := self.parking.following(self.cursor):
            self._take(following)
        return self.cursor

    def _take(self, batch: Batch) -> Verdict:
        verdict = judge(self.cursor, batch.first, batch.last)
        if verdict is Verdict.APPLY:
            fresh = [event.position for event in batch.events if event.position > self.cursor]
            self.applied += fresh
            self.cursor = batch.last
        return verdict


class BadNetwork(RuleBasedStateMachine):
    """Two ends, messages on their way in no order, and a clock."""

    def __init__(self) -> None:
        super().__init__()
        self.source = Source()
        self.consumer = Consumer()
        self.batches: list[Batch] = []
        self.acknowledgements: list[int] = []
        self.now = START
        self.checked = self.checked_to = 0

    @rule(events=st.sampled_from([1, 2, 30, 700, 2600]))
    def commit(self, events: int) -> None:
        self.source.committed += events

    @rule(survives=st.integers(0, 3) | st.none())
    def pump(self, survives: int | None) -> None:
        """The relay may be killed between its commit and its last sending."""
        self.batches += self.source.pump(self.now)[:survives]

    @rule(seconds=st.sampled_from([0.1, 1, 3, 40]))
    def time_passes(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.batches)
    @rule(
        which=st.integers(0, 10_000),
        doubled=st.booleans(),
        killed=st.booleans(),
    )
    def deliver(self, which: int, *, doubled: bool, killed: bool) -> None:
        """The consumer may be killed between its commit and the acknowledgement."""
        index = which % len(self.batches)
        batch = self.batches[index] if doubled else self.batches.pop(index)
        position = self.consumer.receive(batch)
        if killed:
            self.consumer.parking = Parking()
        elif position is not None:
            self.acknowledgements.append(position)

    @precondition(lambda self: self.acknowledgements)
    @rule(which=st.integers(0, 10_000), doubled=st.booleans(), survives=st.integers(0, 3))
    def acknowledge(self, which: int, *, doubled: bool, survives: int) -> None:
        index = which % len(self.acknowledgements)
        every = self.acknowledgements
        position = every[index] if doubled else every.pop(index)
        self.batches += self.source.acknowledge(position, self.now)[:survives]

    @precondition(lambda self: self.batches)
    @rule(which=st.integers(0, 10_000))
    def lose_a_batch(self, which: int) -> None:
        self.batches.pop(which % len(self.batches))

    @precondition(lambda self: self.acknowledgements)
    @rule(which=st.integers(0, 10_000))
    def lose_an_acknowledgement(self, which: int) -> None:
        self.acknowledgements.pop(which % len(self.acknowledgements))

    @rule()
    def flush(self) -> None:
        self.batches.clear()
        self.acknowledgements.clear()

    @rule()
    def restart_the_consumer(self) -> None:
        self.consumer.parking = Parking()

    @invariant()
    def every_position_is_applied_once_and_in_order(self) -> None:
        cursor, applied = self.consumer.cursor, self.consumer.applied
        assert applied[self.checked :] == [
            p for p in range(self.checked_to + 1, cursor + 1) if p % 3 != 0
        ]
        self.checked, self.checked_to = len(applied), cursor

    @invariant()
    def the_source_never_believes_more_than_is_true(self) -> None:
        progress = self.source.progress
        assert progress.acked <= self.consumer.cursor <= self.source.numbered
        assert progress.acked <= progress.sent <= self.source.numbered

    @invariant()
    def the_window_is_kept(self) -> None:
        assert self.source.progress.sent - self.source.progress.acked <= WINDOW

    @invariant()
    def the_sweep_finds_whatever_is_not_done(self) -> None:
        assert self.source.swept or self.consumer.cursor == self.source.committed

    @invariant()
    def parking_is_bounded(self) -> None:
        assert len(self.consumer.parking) <= MAX_PARKED

    def teardown(self) -> None:
        """The network is good again: all is done within one patience and a few sweeps."""
        deadline = self.now + LAST_RESEND + 3 * SWEEP
        while self.consumer.cursor < self.source.committed or self.source.swept:
            assert self.now <= deadline, "the stream stands still"
            if self.source.swept:
                self.batches += self.source.pump(self.now)
            while self.batches or self.acknowledgements:
                if self.batches:
                    position = self.consumer.receive(self.batches.pop(0))
                    if position is not None:
                        self.acknowledgements.append(position)
                else:
                    position = self.acknowledgements.pop(0)
                    self.batches += self.source.acknowledge(position, self.now)
            self.now += SWEEP
        self.every_position_is_applied_once_and_in_order()
        assert self.source.progress.acked == self.source.committed


BadNetwork.TestCase.settings = settings(
    max_examples=120,
    stateful_step_count=40,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
TestBadNetwork = BadNetwork.TestCase


@given(first_is_lost=st.booleans(), spacing=st.floats(0.05, 1.9))
def test_a_lost_batch_is_missed_while_others_follow_it(first_is_lost: bool, spacing: float):
    """A busy stream must not reset the patience with every event it sends."""
    source, consumer, now = Source(), Consumer(), START
    source.committed = 1
    lost = source.pump(now)
    if not first_is_lost:
        for batch in lost:
            consumer.receive(batch)  # and only its acknowledgement is lost
    while now < START + timedelta(seconds=8):
        now += timedelta(seconds=spacing)
        source.committed += 1
        for batch in source.pump(now):
            position = consumer.receive(batch)
            if position is not None and (first_is_lost or position > 1):
                source.acknowledge(position, now)
    assert consumer.cursor == source.committed


def test_a_consumer_that_is_away_for_long_finds_a_bounded_queue():
    source, now, sent = Source(committed=100_000), START, []
    while now < START + timedelta(hours=8):
        sent += [(batch.first, batch.last, source.progress.resends) for batch in source.pump(now)]
        now += SWEEP * 5
    # The window once, then one batch per resend; those of the last patience bear one name.
    assert len(set(sent)) <= 2 * WINDOW // MAX_BATCH_EVENTS + 10


def test_a_stream_that_recovered_fills_its_window_again():
    source, consumer, now = Source(committed=3 * WINDOW), Consumer(), START
    source.pump(now)
    now += LAST_RESEND
    [probe] = source.pump(now)
    more = source.acknowledge(consumer.receive(probe), now)
    assert probe.last - probe.first + 1 == MAX_BATCH_EVENTS
    assert more[-1].last == probe.last + WINDOW


def test_what_a_late_acknowledgement_covers_is_not_sent_again():
    gone_back = Progress(acked=0, sent=500, resends=1, waiting_since=START)
    progress, positions = gone_back.acknowledged(2600, START).step(2600, START)
    assert not positions
    assert progress == Progress(acked=2600, sent=2600, resends=0, waiting_since=START)


def test_older_news_change_nothing():
    progress = Progress(acked=7, sent=9, resends=1, waiting_since=START)
    assert progress.acknowledged(7, START + SWEEP) is progress


@pytest.mark.parametrize(
    ("resends", "patience"), [(0, 2), (1, 4), (2, 8), (3, 15), (MOST_RESENDS, 15)]
)
def test_patience_grows_and_has_an_end(resends: int, patience: int):
    progress = Progress(acked=0, sent=1, resends=resends, waiting_since=START)
    assert not progress.is_silent(START + timedelta(seconds=patience - 0.01))
    assert progress.is_silent(START + timedelta(seconds=patience))


@given(
    sizes=st.lists(st.sampled_from([10, 200, 60_000, MAX_BATCH_BYTES + 1]), max_size=40),
    start=st.integers(1, 10_000),
    ignored=st.sets(st.integers(0, 39)),
)
@settings(deadline=None)
def test_batches_cover_their_positions_and_are_bounded(sizes, start, ignored):
    positions = range(start, start + len(sizes) + 1)
    events = {
        position: event_at(position, text="đ" * (size // 2), wanted=offset not in ignored)
        for offset, (position, size) in enumerate(zip(positions, sizes, strict=False))
    }
    cut = batches(STREAM, positions, events, WANTED)
    assert cut[0].first == positions.start
    assert cut[-1].last == positions.stop - 1
    assert all(one.last + 1 == two.first for one, two in itertools.pairwise(cut))
    carried = [event for batch in cut for event in batch.events]
    assert carried == [e for p, e in events.items() if e.type in WANTED]
    for batch in cut:
        assert all(batch.first <= event.position <= batch.last for event in batch.events)
        small = sum(event.wire_size() for event in batch.events) <= MAX_BATCH_BYTES
        assert small or len(batch.events) == 1


def test_a_batch_never_carries_more_than_its_number_of_events():
    count = 2 * MAX_BATCH_EVENTS + 1
    events = {position: event_at(position) for position in range(1, count + 1)}
    cut = batches(STREAM, range(1, count + 1), events, WANTED)
    assert [len(batch.events) for batch in cut] == [MAX_BATCH_EVENTS, MAX_BATCH_EVENTS, 1]


@given(st.text(max_size=200), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_a_batch_survives_the_wire(text: str, context: dict[str, str]):
    event = Envelope(
        STREAM.tenant_id, "source", 7, new_id(), new_id(), "a.b", START, {"t": text}, context
    )
    batch = Batch(STREAM, 3, 9, [event])
    assert Batch.load(batch.dump()) == batch


@given(cursor=st.integers(0, 50), first=st.integers(1, 60), length=st.integers(0, 10))
def test_the_judgement_says_whether_a_batch_is_new_and_in_turn(cursor, first, length):
    last = first + length
    new = {position for position in range(first, last + 1) if position > cursor}
    verdict = judge(cursor, first, last)
    if not new:
        assert verdict is Verdict.STALE
    elif cursor + 1 in new:
        assert verdict is Verdict.APPLY
    else:
        assert verdict is Verdict.GAP


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_parking_keeps_the_longer_of_two_batches_that_start_alike(order):
    both = [Batch(STREAM, 5, 9, []), Batch(STREAM, 5, 6, [])]
    parking: Parking[Batch] = Parking()
    for index in order:
        parking.park(both[index])
    assert parking.following(4) == both[0]


def test_full_parking_keeps_what_comes_next():
    parking: Parking[Batch] = Parking()
    for position in range(2 * MAX_PARKED, 1, -1):
        parking.park(Batch(STREAM, position, position, []))
    cursor = 1
    while following := parking.following(cursor):
        cursor = following.last
    assert cursor == 1 + MAX_PARKED
