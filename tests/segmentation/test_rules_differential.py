"""The SQL of a rule and its reading in memory agree, for any rule and any facts."""

from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from services.segmentation.rules import evaluate, parse_rule
from tests.segmentation.facts import FactsDatabase
from tests.segmentation.strategies import AS_OFS, TIMEZONES, customers, rules

LOOKS = st.tuples(st.sampled_from(AS_OFS), st.sampled_from(TIMEZONES))


@settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data(), look=LOOKS)
async def test_sql_and_memory_agree(
    facts_database: FactsDatabase, data: st.DataObject, look: tuple[datetime, ZoneInfo]
):
    as_of, timezone = look
    people = data.draw(st.lists(customers(as_of), min_size=2, max_size=6))
    sources = data.draw(st.lists(rules(as_of), min_size=2, max_size=8))
    parsed = [parse_rule(source) for source in sources]

    tenant = await facts_database.store(people)
    in_sql = await facts_database.ask(tenant, parsed, as_of, timezone)

    in_memory = {
        person.profile.customer_id: [
            evaluate(rule, person, as_of=as_of, timezone=timezone) for rule in parsed
        ]
        for person in people
    }
    for answers in in_memory.values():
        for answer in answers:
            event(f"the rule holds: {answer}")
    assert in_sql == in_memory
