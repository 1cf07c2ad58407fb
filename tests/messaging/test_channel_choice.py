"""By which channel a message goes: the pure choice, with more channels than any shop has yet."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.channels.choice import ChannelChoice, choose_channel

ORDER = ("zalo", "email", "sms")
ADDRESSES = {"zalo": "+84912345678", "email": "an@example.com", "sms": "+84912345678"}


def choose(**given) -> ChannelChoice[str]:
    everything = {
        "preferred": None,
        "order": ORDER,
        "connected": ORDER,
        "addresses": ADDRESSES,
        "contents": ORDER,
    }
    return choose_channel(**{**everything, **given})


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        # The preferred one, wherever it stands in the order.
        ({"preferred": "zalo"}, ("zalo", "preference")),
        ({"preferred": "sms"}, ("sms", "preference")),
        # No preference: the first one that can carry the message.
        ({}, ("zalo", "fallback")),
        ({"connected": ("sms", "email")}, ("email", "fallback")),
        ({"addresses": {"zalo": "", "email": None, "sms": "+84912345678"}}, ("sms", "fallback")),
        ({"contents": ("sms",)}, ("sms", "fallback")),
        # A preference that cannot be met is told, with what is in its way.
        (
            {"preferred": "sms", "connected": ("email", "zalo")},
            ("zalo", "fallback", "sms", "not_connected"),
        ),
        (
            {"preferred": "zalo", "addresses": {**ADDRESSES, "zalo": None}},
            ("email", "fallback", "zalo", "no_address"),
        ),
        (
            {"preferred": "zalo", "addresses": {"email": "an@example.com"}},
            ("email", "fallback", "zalo", "no_address"),
        ),
        (
            {"preferred": "zalo", "contents": ("email", "sms")},
            ("email", "fallback", "zalo", "no_content"),
        ),
        ({"preferred": "call"}, ("zalo", "fallback", "call", "not_connected")),
        (
            {"preferred": "zalo", "connected": ("email",), "contents": ("email",)},
            ("email", "fallback", "zalo", "not_connected"),
        ),
        # Nothing can carry it: what lacks least says what is wrong.
        ({"connected": (), "preferred": "email"}, ("email", "preference")),
        ({"connected": ()}, ("zalo", "fallback")),
        ({"addresses": {}}, ("zalo", "fallback")),
        (
            {"preferred": "zalo", "connected": ("email",), "addresses": {}},
            ("email", "fallback", "zalo", "not_connected"),
        ),
        (
            {"addresses": {}, "contents": ("sms", "zalo"), "preferred": "email"},
            ("zalo", "fallback", "email", "no_content"),
        ),
    ],
)
def test_the_choice_is_as_the_table_says(case, expected):
    assert choose(**case) == ChannelChoice(*expected)


channels = st.sampled_from(["email", "sms", "zalo", "viber"])
some = st.frozensets(channels)
addresses = st.dictionaries(channels, st.sampled_from([None, "", "there"]))


@given(
    preferred=st.none() | channels | st.just("call"),
    order=st.lists(channels, min_size=1, unique=True),
    connected=some,
    addresses=addresses,
    contents=some,
)
def test_whatever_there_is_the_choice_keeps_its_promises(
    preferred, order, connected, addresses, contents
):
    choice = choose_channel(
        preferred=preferred,
        order=order,
        connected=connected,
        addresses=addresses,
        contents=contents,
    )
    able = [c for c in order if c in connected and c in contents and addresses.get(c)]
    taken, by, unmet = choice.channel, choice.chosen_by, choice.unmet_preference
    assert taken in order
    if able:
        assert taken == (preferred if preferred in able else able[0])
    assert by == ("preference" if taken == preferred else "fallback")
    assert unmet == (None if preferred in (None, taken) else preferred)
    assert (choice.unmet_preference_reason is None) == (unmet is None)


@given(order=st.permutations(["email", "sms", "zalo"]), preferred=st.none() | channels)
def test_where_all_can_carry_it_nothing_but_preference_and_order_counts(order, preferred):
    choice = choose(
        order=order, connected=order, contents=order, preferred=preferred, addresses=ADDRESSES
    )
    assert choice.channel == (preferred if preferred in order else order[0])
