"""A yes that was given for a time: nobody tells when that is over."""

from datetime import timedelta
from typing import Any

import pytest

from shared.contracts.customer import CustomerUpdated, SnapshotCompleted
from tests.segmentation.shop import START, Shop, Told, customer
from tests.segmentation.test_rebuild import requested, retold

AGREED = {"field": "consent.email.marketing", "op": "eq", "value": "granted"}


def agreed(channel: str = "email", **times: Any) -> dict[str, Any]:
    known = {"purpose": "marketing", "channel": channel, "status": "granted", "changed_at": START}
    return {**known, **times}


async def previewed(shop: Shop, rule: dict[str, Any]) -> int:
    answer = await shop.call("POST", "/v1/segments/preview", {"rule": rule})
    assert answer.status_code == 200, answer.text
    count: int = answer.json()["count"]
    return count


async def test_a_yes_whose_time_is_over_counts_in_no_preview(shop: Shop):
    over = START - timedelta(days=1)
    await shop.hear(customer(consents=[agreed(expires_at=over)]), customer(consents=[agreed()]))
    assert await previewed(shop, AGREED) == 1
    assert await previewed(shop, {**AGREED, "value": "expired"}) == 1
    assert await previewed(shop, {**AGREED, "op": "ne"}) == 1


async def test_who_agreed_for_a_time_leaves_when_it_is_over(shop: Shop):
    await shop.add_segment("agreed", AGREED)
    consents = [
        agreed(expires_at=START + timedelta(days=30)),
        agreed("zalo", expires_at=START + timedelta(days=60)),
    ]
    for_ever, known = customer(consents=[agreed()])
    for_a_time, told = customer(consents=consents)
    await shop.hear((for_ever, known), (for_a_time, told))
    assert await shop.members("agreed") == {for_ever, for_a_time}

    assert await shop.pass_time(days=29) == 0
    assert await shop.pass_time(days=1) == 1

    assert await shop.members("agreed") == {for_ever}
    assert (await shop.moves())[-1] == ("left", "agreed", for_a_time)
    again = agreed(expires_at=START + timedelta(days=90))
    await shop.hear(customer(for_a_time, version=2, consents=[again]))
    assert await shop.members("agreed") == {for_ever, for_a_time}
    assert await shop.pass_time(days=30) == 0
    assert await shop.pass_time(days=30) == 1


@pytest.fixture
async def told(shop: Shop) -> Told:
    return customer(consents=[agreed(expires_at=START + timedelta(days=30))])


async def test_a_rebuild_makes_older_rules_be_looked_at_by_the_clock(shop: Shop, told: Told):
    who, event = told
    await shop.add_segment("agreed", AGREED)
    await shop.hear(told)
    await shop.run_sql(
        "UPDATE segmentation.segment SET timed = false WHERE tenant_id = :tenant AND key = 'agreed'"
    )
    assert isinstance(event, CustomerUpdated)
    await shop.call("POST", "/v1/segmentation-rebuilds")
    await shop.finish_runs()
    [job_id] = await requested(shop)
    completed = SnapshotCompleted(requested_by="segmentation", job_id=job_id)
    await shop.hear(*retold([told]), (job_id, completed))
    await shop.finish_runs()
    rows = await shop.rows(
        "SELECT timed FROM segmentation.segment WHERE tenant_id = :tenant AND key = 'agreed'"
    )
    assert rows == [(True,)]
    assert await shop.members("agreed") == {who}
    assert await shop.pass_time(days=31) == 1
