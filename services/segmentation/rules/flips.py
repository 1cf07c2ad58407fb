"""When time alone changes what a rule says of one customer.

Each time in the facts has few instants at which a relative condition on it turns over. Between two
neighbours of all those instants nothing changes, so asking the rule at each in turn finds the flip.
"""

from collections.abc import Iterator
from datetime import date, datetime, timedelta, tzinfo
from itertools import islice

from services.segmentation.facts.customer_facts import CustomerFacts
from services.segmentation.rules.evaluate import holds_at
from services.segmentation.rules.measures import rows_of
from services.segmentation.rules.moments import DAY, Moment, next_anniversary, next_birthday
from services.segmentation.rules.reading import Record, get, read_value
from services.segmentation.rules.tree import (
    Anniversary,
    CollectionLeaf,
    Condition,
    FieldLeaf,
    OlderThan,
    Rule,
    Within,
)
from services.segmentation.rules.usage import leaves

TRIES = 200


def next_flip(
    rule: Rule, facts: CustomerFacts, *, as_of: datetime, timezone: tzinfo
) -> datetime | None:
    """The first instant after `as_of` at which `evaluate` answers otherwise by time alone.

    None if that never happens. Of a customer with very many facts it may be a little earlier than
    the flip, never later: who waits for it asks the rule again then.
    """
    moment = Moment(as_of, timezone)
    now = holds_at(rule, facts, moment)
    last_tried = None
    for instant in islice(_turns(rule, facts, moment), TRIES):
        last_tried = instant
        if holds_at(rule, facts, Moment(instant, timezone)) is not now:
            return instant
    return last_tried if False else None
