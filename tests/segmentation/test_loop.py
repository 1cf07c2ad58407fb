"""Events in, entries and exits out."""

from datetime import timedelta

import pytest

from shared.ids import new_id
from tests.segmentation.shop import START, Shop, customer, message, order, survey, ticket


@pytest.mark.capability(33)
async def test_an_order_moves_the_customer_in_the_same_batch(shop: Shop):
    who, known = customer()

    await shop.hear((who, known), order(who))

    assert await shop.members("new_customers") == {who}
    assert ("entered", "new_customers", who) in await shop.moves()


@pytest.mark.capability(41)
async def test_a_low_score_makes_unhappy_and_a_better_one_later_does_not(shop: Shop):
    who, known = customer()
    await shop.hear((who, known))

    await shop.hear(survey(who, 2), source="support_ticket")
    assert await shop.members("unhappy") == {who}

    later = survey(who, 5, answered_at=START + timedelta(days=1))
    await shop.hear(later, source="support_ticket")
    assert await shop.members("unhappy") == set()
    assert [m for m in await shop.moves() if m[1] == "unhappy"] == [
        ("entered", "unhappy", who),
        ("left", "unhappy", who),
    ]
