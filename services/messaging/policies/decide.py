"""Whether a message may be sent. Pure: everything that matters is handed in.

Every rule is asked, also after one has said no, so that the trace shows the whole picture; the
first no is the reason. Transactional messages (an answer to a person's own request) need no
consent and meet no cap; an address that must not be written to at all stops them too.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final, Literal

from services.messaging.policies.records import (
    ContactChannel,
    FrequencyCap,
    MessageClass,
    Policy,
)
from shared.contracts.customer import ConsentState, PromisedFrequency

Outcome = Literal["passed", "stopped", "not_applicable"]


class Reason(StrEnum):
    """Why a message was not sent on purpose."""

    NO_ADDRESS = "NO_ADDRESS"
    INVALID_ADDRESS = "INVALID_ADDRESS"
    SUPPRESSED_ADDRESS = "SUPPRESSED_ADDRESS"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    NO_CONSENT = "NO_CONSENT"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    CONSENT_EXPIRED = "CONSENT_EXPIRED"
    PROCESSING_RESTRICTED = "PROCESSING_RESTRICTED"
    FREQUENCY_CAP = "FREQUENCY_CAP"
    PROMISED_FREQUENCY = "PROMISED_FREQUENCY"


# The consent asked first is the more specific one; its word, given or withdrawn, is final.
CONSENT_PURPOSES: Final[dict[MessageClass, tuple[str, ...]]] = {
    "transactional": (),
    "care": ("care", "marketing"),
    "advertising": ("marketing",),
}


@dataclass(frozen=True, slots=True)
class ActiveSuppression:
    """An address is not to be written to: for `marketing` (care and advertising), or for `all`."""

    id: str
    scope: Literal["marketing", "all"]
    reason: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class RecentSend:
    """A message of care or advertising that the address got, or may have got."""

    message_class: MessageClass
    at: datetime


@dataclass(frozen=True, slots=True)
class Step:
    """What one rule said, and on what grounds."""

    rule: str
    outcome: Outcome
    reason: Reason | None = None
    evidence: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Decision:
    """Allowed, or the reason why not; with the word of every rule."""

    reason: Reason | None
    policy_version: int
    decided_at: datetime
    trace: tuple[Step, ...]

    @property
    def allowed(self) -> bool:
        """Whether the message may be sent."""
        return self.reason is None


def decide(
    *,
    message_class: MessageClass,
    channel: ContactChannel,
    consents: Iterable[ConsentState],
    suppressions: Sequence[ActiveSuppression],
    recent_sends: Sequence[RecentSend],
    policy: Policy,
    now: datetime,
    restricted: bool = False,
) -> Decision:
    """Ask every rule about one message to one address at one moment.

    `recent_sends` reach back at least as far as `longest_window(policy)` and what `longest_promise`
    says of the consents. With `restricted` the person has had the use of their data restricted.
    """
    found = _consent_found(message_class, channel, consents)
    trace = (
        _suppression_rule(message_class, suppressions),
        *([_restriction_rule(message_class)] if restricted else []),
        _consent_rule(message_class, channel, found, now),
        *([_promise_rule(found.frequency, recent_sends, now)] if found and found.frequency else []),
        *(
            _cap_rule(cap, message_class, recent_sends, now)
            for cap in policy.rules.frequency_caps
            if cap.channel == channel
        ),
    )
    reason = next((step.reason for step in trace if step.reason is not None), None)
    return Decision(reason=reason, policy_version=policy.version, decided_at=now, trace=trace)


def refuse_address(reason: Reason, *, policy: Policy, now: datetime) -> Decision:
    """The decision when there is nowhere to send to, so that no other rule can be asked."""
    step = Step("address", "stopped", reason)
    return Decision(reason=reason, policy_version=policy.version, decided_at=now, trace=(step,))


def longest_window(policy: Policy) -> timedelta:
    """How far back sends can count against a cap."""
    hours = (cap.window_hours for cap in policy.rules.frequency_caps)
    return timedelta(hours=max(hours, default=0))


def longest_promise(consents: Iterable[ConsentState]) -> timedelta:
    """How far back sends can count against what people were promised."""
    days = (consent.frequency.per_days for consent in consents if consent.frequency)
    return timedelta(days=max(days, default=0))


def _suppression_rule(
    message_class: MessageClass, suppressions: Sequence[ActiveSuppression]
) -> Step:
    binding = [s for s in suppressions if s.scope == "all" or message_class != "transactional"]
    if not binding:
        return Step("suppression", "passed", evidence={"found": len(suppressions)})
    # A ban on everything says more than one on marketing.
    first = min(binding, key=lambda s: (s.scope != "all", s.created_at))
    unsubscribed = first.reason == "unsubscribed"
    return Step(
        "suppression",
        "stopped",
        Reason.UNSUBSCRIBED if unsubscribed else Reason.SUPPRESSED_ADDRESS,
        {
            "suppression_id": first.id,
            "scope": first.scope,
            "reason": first.reason,
            "since": first.created_at.isoformat(),
        },
    )


def _restriction_rule(message_class: MessageClass) -> Step:
    if message_class == "transactional":
        return Step("restriction", "not_applicable", evidence={"message_class": message_class})
    return Step("restriction", "stopped", Reason.PROCESSING_RESTRICTED)


def _consent_found(
    message_class: MessageClass, channel: ContactChannel, consents: Iterable[ConsentState]
) -> ConsentState | None:
    """The most specific answer that was ever given."""
    by_purpose = {c.purpose: c for c in consents if c.channel == channel}
    purposes = CONSENT_PURPOSES[message_class]
    return next((by_purpose[p] for p in purposes if p in by_purpose), None)


def _consent_rule(
    message_class: MessageClass,
    channel: ContactChannel,
    found: ConsentState | None,
    now: datetime,
) -> Step:
    purposes = CONSENT_PURPOSES[message_class]
    if not purposes:
        return Step("consent", "not_applicable", evidence={"message_class": message_class})
    asked = {"purposes": list(purposes), "channel": channel}
    if found is None:
        return Step("consent", "stopped", Reason.NO_CONSENT, {**asked, "found": None})
    evidence = {**asked, "found": found.model_dump(mode="json", exclude_none=True)}
    if found.status == "withdrawn":
        return Step("consent", "stopped", Reason.CONSENT_WITHDRAWN, evidence)
    if found.expires_at is not None and found.expires_at <= now:
        return Step("consent", "stopped", Reason.CONSENT_EXPIRED, evidence)
    return Step("consent", "passed", evidence=evidence)


def _promise_rule(
    promised: PromisedFrequency, recent_sends: Sequence[RecentSend], now: datetime
) -> Step:
    """What the person was told who agreed (Law 91/2025/QH15, Art. 28) is a cap of their own."""
    since = now - timedelta(days=promised.per_days)
    counted = sum(1 for send in recent_sends if send.at > since)
    evidence = {**promised.model_dump(), "counted": counted}
    if counted >= promised.max_messages:
        return Step("promised_frequency", "stopped", Reason.PROMISED_FREQUENCY, evidence)
    return Step("promised_frequency", "passed", evidence=evidence)


def _cap_rule(
    cap: FrequencyCap,
    message_class: MessageClass,
    recent_sends: Sequence[RecentSend],
    now: datetime,
) -> Step:
    if message_class not in cap.classes:
        return Step("frequency_cap", "not_applicable", evidence={"classes": list(cap.classes)})
    since = now - timedelta(hours=cap.window_hours)
    counted = sum(1 for s in recent_sends if s.at > since and s.message_class in cap.classes)
    evidence = {
        "classes": list(cap.classes),
        "window_hours": cap.window_hours,
        "max_messages": cap.max_messages,
        "counted": counted,
    }
    if counted >= cap.max_messages:
        return Step("frequency_cap", "stopped", Reason.FREQUENCY_CAP, evidence)
    return Step("frequency_cap", "passed", evidence=evidence)
