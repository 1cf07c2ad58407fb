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
from shared.contracts.customer import ConsentState

Outcome = Literal["passed", "stopped", "not_applicable"]


class Reason(StrEnum):
    """Why a message was not sent on purpose."""

    NO_ADDRESS = "NO_ADDRESS"
    INVALID_ADDRESS = "INVALID_ADDRESS"
    SUPPRESSED_ADDRESS = "SUPPRESSED_ADDRESS"
    UNSUBSCRIBED = "UNSUBSCRIBED"
    NO_CONSENT = "NO_CONSENT"
    CONSENT_WITHDRAWN = "CONSENT_WITHDRAWN"
    FREQUENCY_CAP = "FREQUENCY_CAP"


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
) -> Decision:
    """Ask every rule about one message to one address at one moment.

    `recent_sends` reach back at least as far as `longest_window(policy)`.
    """
    trace = (
        _suppression_rule(message_class, suppressions),
        _consent_rule(message_class, channel, consents),
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


def _consent_rule(
    message_class: MessageClass, channel: ContactChannel, consents: Iterable[ConsentState]
) -> Step:
    purposes = CONSENT_PURPOSES[message_class]
    if not purposes:
        return Step("consent", "not_applicable", evidence={"message_class": message_class})
    by_purpose = {c.purpose: c for c in consents if c.channel == channel}
    asked = {"purposes": list(purposes), "channel": channel}
    found = next((by_purpose[p] for p in purposes if p in by_purpose), None)
    if found is None:
        return Step("consent", "stopped", Reason.NO_CONSENT, {**asked, "found": None})
    evidence = {**asked, "found": found.model_dump(mode="json")}
    if found.status == "withdrawn":
        return Step("consent", "stopped", Reason.CONSENT_WITHDRAWN, evidence)
    return Step("consent", "passed", evidence=evidence)


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
