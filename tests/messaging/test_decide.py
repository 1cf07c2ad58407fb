"""The decision whether a message may be sent: pure, so tried exhaustively."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.messaging.policies.decide import (
    ActiveSuppression,
    Decision,
    Reason,
    RecentSend,
    decide,
    longest_promise,
    longest_window,
)
from services.messaging.policies.records import FrequencyCap, Policy, PolicyRules
from shared.contracts.customer import PromisedFrequency
from tests.messaging.world import consent

NOW = datetime(2026, 3, 1, 9, tzinfo=UTC)
POLICY = Policy(version=7, rules=PolicyRules())


def ask(message_class: str = "advertising", **facts) -> Decision:
    given = {
        "channel": "email",
        "consents": (),
        "suppressions": (),
        "recent_sends": (),
        "policy": POLICY,
        "now": NOW,
    }
    return decide(message_class=message_class, **{**given, **facts})


def suppressed(scope: str, reason: str = "unsubscribed") -> ActiveSuppression:
    return ActiveSuppression("s-1", scope, reason, NOW - timedelta(days=1))


GRANTED = consent(NOW)


@pytest.mark.parametrize("message_class", ["care", "advertising"])
def test_without_a_recorded_consent_nothing_promotional_is_sent(message_class: str):
    assert ask(message_class).reason == Reason.NO_CONSENT


def test_an_answer_to_a_request_needs_no_consent():
    assert ask("transactional").allowed


@pytest.mark.parametrize("message_class", ["care", "advertising"])
def test_a_marketing_consent_covers_care_and_advertising(message_class: str):
    assert ask(message_class, consents=[GRANTED]).allowed


def test_a_care_consent_does_not_cover_advertising():
    care_only = [consent(NOW, purpose="care")]
    assert ask("care", consents=care_only).allowed
    assert ask("advertising", consents=care_only).reason == Reason.NO_CONSENT


def test_care_withdrawn_stops_care_though_marketing_was_granted():
    said = [GRANTED, consent(NOW, purpose="care", status="withdrawn")]
    assert ask("care", consents=said).reason == Reason.CONSENT_WITHDRAWN
    assert ask("advertising", consents=said).allowed


def test_a_consent_on_another_channel_says_nothing():
    assert ask(consents=[consent(NOW, channel="sms")]).reason == Reason.NO_CONSENT


def test_a_withdrawn_consent_is_a_reason_of_its_own():
    withdrawn = [consent(NOW, status="withdrawn")]
    assert ask(consents=withdrawn).reason == Reason.CONSENT_WITHDRAWN


def test_who_unsubscribed_gets_answers_but_nothing_promotional():
    facts = {"suppressions": [suppressed("marketing")], "consents": [GRANTED]}
    assert ask("advertising", **facts).reason == Reason.UNSUBSCRIBED
    assert ask("care", **facts).reason == Reason.UNSUBSCRIBED
    assert ask("transactional", **facts).allowed


def test_an_invalid_address_gets_nothing_at_all():
    facts = {"suppressions": [suppressed("all", "invalid_address")], "consents": [GRANTED]}
    assert ask("transactional", **facts).reason == Reason.SUPPRESSED_ADDRESS
    assert ask("care", **facts).reason == Reason.SUPPRESSED_ADDRESS


def test_the_trace_tells_every_rule_even_after_a_refusal():
    decision = ask(
        suppressions=[suppressed("marketing")],
        recent_sends=[RecentSend("care", NOW)] * 3,
    )
    outcomes = [(step.rule, step.outcome, step.reason) for step in decision.trace]
    assert outcomes == [
        ("suppression", "stopped", Reason.UNSUBSCRIBED),
        ("consent", "stopped", Reason.NO_CONSENT),
        ("frequency_cap", "stopped", Reason.FREQUENCY_CAP),
    ]
    assert decision.reason == Reason.UNSUBSCRIBED
    assert decision.policy_version == 7


def test_the_trace_shows_the_consent_and_the_counters():
    decision = ask(consents=[GRANTED], recent_sends=[RecentSend("care", NOW)] * 2)
    evidence = {step.rule: step.evidence for step in decision.trace}
    assert evidence["consent"]["found"]["purpose"] == "marketing"
    assert evidence["frequency_cap"]["counted"] == 2
    assert evidence["frequency_cap"]["max_messages"] == 3


def test_the_window_of_a_cap_rolls_and_forgets_at_its_end():
    day = timedelta(hours=24)
    sends = [RecentSend("care", NOW - day), RecentSend("care", NOW - day + timedelta(seconds=1))]
    one = Policy(version=1, rules=PolicyRules(frequency_caps=(FrequencyCap(max_messages=2),)))
    assert ask(consents=[GRANTED], recent_sends=sends, policy=one).allowed


def test_no_cap_counts_transactional_messages():
    none = Policy(version=1, rules=PolicyRules(frequency_caps=(FrequencyCap(max_messages=0),)))
    assert ask("transactional", policy=none).allowed


caps = st.builds(
    FrequencyCap,
    classes=st.sampled_from([("care",), ("advertising",), ("care", "advertising")]),
    max_messages=st.integers(0, 4),
    window_hours=st.integers(1, 72),
)
sends = st.builds(
    RecentSend,
    message_class=st.sampled_from(["care", "advertising"]),
    at=st.integers(0, 80 * 60).map(lambda minutes: NOW - timedelta(minutes=minutes)),
)


@given(
    st.lists(caps, max_size=4),
    st.lists(sends, max_size=12),
    st.sampled_from(["care", "advertising"]),
)
def test_caps_allow_exactly_what_counting_by_hand_allows(given_caps, given_sends, message_class):
    policy = Policy(version=1, rules=PolicyRules(frequency_caps=tuple(given_caps)))
    decision = ask(message_class, consents=[GRANTED], recent_sends=given_sends, policy=policy)

    def has_room(cap: FrequencyCap) -> bool:
        hours = [
            (NOW - s.at).total_seconds() / 3600
            for s in given_sends
            if s.message_class in cap.classes
        ]
        return len([h for h in hours if h < cap.window_hours]) < cap.max_messages

    relevant = [cap for cap in given_caps if message_class in cap.classes]
    assert decision.allowed == all(has_room(cap) for cap in relevant)


@given(st.lists(caps, max_size=4))
def test_no_cap_looks_further_back_than_the_longest_window(given_caps):
    policy = Policy(version=1, rules=PolicyRules(frequency_caps=tuple(given_caps)))
    window = longest_window(policy)
    old = [RecentSend("care", NOW - window), RecentSend("advertising", NOW - window)] * 5
    with_old = ask("care", consents=[GRANTED], recent_sends=old, policy=policy)
    without = ask("care", consents=[GRANTED], policy=policy)
    assert with_old.reason == without.reason


def test_a_consent_ends_when_it_was_said_to():
    ending = GRANTED.model_copy(update={"expires_at": NOW})
    assert ask(consents=[ending]).reason == Reason.CONSENT_EXPIRED
    later = GRANTED.model_copy(update={"expires_at": NOW + timedelta(seconds=1)})
    assert ask(consents=[later]).allowed


def test_what_was_promised_is_a_cap_of_ones_own():
    promised = PromisedFrequency(max_messages=1, per_days=7)
    agreed = [GRANTED.model_copy(update={"frequency": promised})]
    assert longest_promise(agreed) == timedelta(days=7)
    assert ask(consents=agreed).allowed
    written = [RecentSend("care", NOW - timedelta(days=6))]
    assert ask(consents=agreed, recent_sends=written).reason == Reason.PROMISED_FREQUENCY
    long_ago = [RecentSend("care", NOW - timedelta(days=7))]
    assert ask(consents=agreed, recent_sends=long_ago).allowed


@pytest.mark.parametrize("message_class", ["care", "advertising"])
def test_whose_data_are_restricted_is_only_answered(message_class: str):
    asked = {"consents": [GRANTED], "restricted": True}
    assert ask(message_class, **asked).reason == Reason.PROCESSING_RESTRICTED
    assert ask("transactional", **asked).allowed
