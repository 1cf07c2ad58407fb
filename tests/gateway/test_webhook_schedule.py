"""When a webhook is tried again: what receivers may ask for, and what they may not."""

from datetime import UTC, datetime, timedelta

import pytest

from gateway.webhooks.schedule import DELAYS, next_try, retry_after

NOW = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("text", "wait"),
    [
        ("120", timedelta(minutes=2)),
        ("0", timedelta()),
        ("Sun, 22 Nov 2026 04:10:00 GMT", timedelta(minutes=10)),
        ("Sun, 22 Nov 2026 03:00:00 GMT", timedelta()),
        ("999999999", DAY),
        ("Fri, 31 Dec 9999 23:59:59 -0100", DAY),
        ("Fri, 31 Dec 99999999999 23:59:59 GMT", None),
        ("soon", None),
        ("-5", None),
        ("", None),
        (None, None),
    ],
)
def test_a_receiver_may_ask_for_a_day_at_most(text: str | None, wait: timedelta | None) -> None:
    found = retry_after(text, now=NOW)
    assert found == wait


@pytest.mark.parametrize("tries", range(1, len(DELAYS) + 1))
def test_it_is_never_tried_earlier_than_asked_for(tries: int) -> None:
    due = next_try(tries, now=NOW, asked_to_wait=DAY)
    assert due is not None
    assert due >= NOW + DAY
