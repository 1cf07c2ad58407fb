"""When time alone changes what a rule says of one customer.

A relative condition on a known time turns over at few instants that can be named in advance.
Between two neighbours of all of them nothing changes, so asking the rule at each finds the flip.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo

from services.segmentation.facts.customer_facts import CustomerFacts
from services.segmentation.rules.evaluate import holds_at
from services.segmentation.rules.measures import rows_of
from services.segmentation.rules.moments import DAY, Moment, anniversary_in, birthday_in
from services.segmentation.rules.reading import Record, read_time
from services.segmentation.rules.tree import Anniversary, OlderThan, Rule, Within
from services.segmentation.rules.usage import (
    Ageing,
    Ending,
    TimeCondition,
    TimedValue,
    timed_values,
)

LOOKAHEAD_YEARS = 5
TRIES = 200


def next_flip(
    rule: Rule, facts: CustomerFacts, *, as_of: datetime, timezone: tzinfo
) -> datetime | None:
    """The first instant after `as_of` at which `evaluate` answers otherwise by time alone.

    None if that does not happen within five years. For a customer with hundreds of facts it may be
    earlier than the flip, never later: who waits for it asks again then.
    """
    moment = Moment(as_of, timezone)
    now = holds_at(rule, facts, moment)
    turns = sorted(set(_turns(rule, facts, moment)))
    for instant in turns[:TRIES]:
        if holds_at(rule, facts, Moment(instant, timezone)) is not now:
            return instant
    return turns[TRIES] if len(turns) > TRIES else None


def _turns(rule: Rule, facts: CustomerFacts, moment: Moment) -> Iterator[datetime]:
    """The instants in sight at which a time in the facts may turn a condition over."""
    horizon = moment.as_of + timedelta(days=366 * LOOKAHEAD_YEARS)
    for timed in timed_values(rule):
        for record in _records(timed, facts):
            value = read_time(timed.field, record, timed.kind)
            for turn in _turns_of(timed.condition, value, moment):
                if moment.as_of < turn <= horizon:
                    yield turn


def _records(timed: TimedValue, facts: CustomerFacts) -> tuple[Record, ...]:
    return (facts.profile,) if timed.collection is None else rows_of(timed.collection, facts)


def _turns_of(condition: TimeCondition, value: object, moment: Moment) -> Iterator[datetime]:
    match condition, value:
        case ((Within(duration) | OlderThan(duration)), datetime()):
            yield value
            yield moment.passes_out(value, duration)
        case ((Within(duration) | OlderThan(duration)), date()):
            yield moment.midnight(value)
            yield moment.midnight(duration.first_day_out(value))
        case Anniversary(days), date():
            for year in _years(moment):
                celebrated = anniversary_in(year, value)
                yield moment.midnight(celebrated - days * DAY)
                yield moment.midnight(celebrated + DAY)
        case Ending(), datetime():
            yield value
        case Ageing(), date():
            for year in _years(moment):
                yield moment.midnight(birthday_in(year, value))
        case _:
            return  # unknown: there is no time that could pass


def _years(moment: Moment) -> range:
    # An anniversary is announced up to a year ahead.
    return range(moment.today.year, moment.today.year + LOOKAHEAD_YEARS + 2)
