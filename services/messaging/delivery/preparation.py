"""From a due message to a mail or to the reason why there is none. No SQL, no network."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.messaging.channels.choice import ChannelChoice, choose_channel
from services.messaging.channels.records import CHANNEL_ORDER, Channels, EmailChannel
from services.messaging.delivery.mail import Letter, OutgoingMail, compose
from services.messaging.delivery.outcomes import postpone_delay
from services.messaging.messages.records import Message
from services.messaging.policies.decide import (
    ActiveSuppression,
    Decision,
    Reason,
    RecentSend,
    decide,
    refuse_address,
)
from services.messaging.policies.records import Channel, Policy
from services.messaging.preferences.links import UnsubscribeLinks
from services.messaging.recipients.addresses import address_key, mailbox
from services.messaging.recipients.records import Recipient
from services.messaging.shops.repository import Shop
from services.messaging.staff_mail.letters import opened_variables
from services.messaging.templates.errors import RenderError
from services.messaging.templates.records import Rendered, Template
from services.messaging.templates.rendering import render_content, with_obligations
from services.messaging.templates.variables import message_variables
from shared.ids import TenantId
from shared.security.keys import SecretBox


@dataclass(frozen=True, slots=True)
class Facts:
    """Everything that preparing a batch of one shop's messages needs to know.

    `recent_sends` grows while the batch is prepared, so that its own messages count too.
    `cared_for` are the messages that the person has had by another of their records.
    """

    tenant_id: TenantId
    shop: Shop
    policy: Policy
    channels: Channels
    recipients: Mapping[UUID, Recipient]
    suppressions: Mapping[str, Sequence[ActiveSuppression]]
    recent_sends: dict[str, list[RecentSend]]
    templates: Mapping[str, Template]
    cared_for: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Lease:
    """Who sends, and until when it alone may."""

    owner: UUID
    until: datetime


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a message has become; the mail and its channel if it is to be sent."""

    message: Message
    mail: OutgoingMail | None = None
    channel: EmailChannel | None = None


class Preparation:
    """Prepares the messages of one batch at one moment."""

    def __init__(
        self,
        *,
        facts: Facts,
        links: UnsubscribeLinks,
        secrets: SecretBox,
        lease: Lease,
        now: datetime,
    ) -> None:
        self._facts = facts
        self._links = links
        self._secrets = secrets
        self._lease = lease
        self._now = now

    def prepare(self, message: Message) -> Prepared:
        """Decide, render and compose; or hold, suppress or fail with the reason."""
        known = self._recipient_of(message)
        if _is_behind(known, message) and self._needs_recipient(message):
            delay = postpone_delay(message.postponements)
            if delay is not None:
                return Prepared(self._wait_for_recipient(message, known, delay))
            if known is None:
                return Prepared(self._end(message, "failed", "RECIPIENT_UNKNOWN"))
        if message.id in self._facts.cared_for:
            return Prepared(self._end(message, "suppressed", "ALREADY_CARED_FOR"))
        routed = self._routed(message, known)
        decision = self._decide(routed, known, routed.address)
        decided = replace(routed, decision=_document(decision))
        if not decision.allowed or decided.address is None:
            return Prepared(self._end(decided, "suppressed", decision.reason))
        return self._write(decided, known, decided.address)

    def give_up(self, message: Message) -> Prepared:
        """The message when preparing it failed in a way that nobody thought of."""
        return Prepared(self._end(message, "failed", "MESSAGE_NOT_COMPOSABLE"))

    def _recipient_of(self, message: Message) -> Recipient | None:
        return self._facts.recipients.get(message.customer_id) if message.customer_id else None

    @staticmethod
    def _needs_recipient(message: Message) -> bool:
        """Without the customer there is no address, or no consent to be found."""
        promotional = message.message_class != "transactional"
        return message.customer_id is not None and (promotional or message.address is None)

    def _routed(self, message: Message, known: Recipient | None) -> Message:
        """The message with the channel that it takes and the address there, if there is one.

        Chosen at the last moment, so that a preference said meanwhile counts. An attempt settles
        it: a message that is tried again goes the same way.
        """
        addresses = dict(known.addresses) if known else {}
        if message.address is not None:
            addresses[message.channel] = message.address
        if message.channel_chosen_by is not None:
            return replace(message, address=addresses.get(message.channel))
        choice = self._choice(message, known, addresses)
        return replace(
            message,
            channel=choice.channel,
            channel_chosen_by=choice.chosen_by,
            unmet_preference=choice.unmet_preference,
            unmet_preference_reason=choice.unmet_preference_reason,
            address=addresses.get(choice.channel),
        )

    def _choice(
        self, message: Message, known: Recipient | None, addresses: Mapping[Channel, str | None]
    ) -> ChannelChoice[Channel]:
        template = self._facts.templates.get(message.template_key)
        return choose_channel(
            preferred=known.preferred_channel if known else None,
            order=CHANNEL_ORDER,
            connected=self._facts.channels.connected,
            addresses=addresses,
            contents=template.channels if template else CHANNEL_ORDER,
        )

    def _decide(self, message: Message, known: Recipient | None, address: str | None) -> Decision:
        policy = self._facts.policy
        if address is None:
            return refuse_address(Reason.NO_ADDRESS, policy=policy, now=self._now)
        if mailbox(address) is None:
            return refuse_address(Reason.INVALID_ADDRESS, policy=policy, now=self._now)
        key = address_key(address)
        # One person's addresses are one, as far as being written to too often is concerned.
        keys = known.email_keys if known and key in known.email_keys else frozenset({key})
        sends = [send for each in keys for send in self._facts.recent_sends.get(each, [])]
        return decide(
            message_class=message.message_class,
            channel=message.channel,
            consents=known.consents if known else (),
            restricted=known is not None and known.restricted,
            suppressions=self._suppressions(message, known, key, keys - {key}),
            recent_sends=sends,
            policy=policy,
            now=self._now,
        )

    def _suppressions(
        self, message: Message, known: Recipient | None, key: str, others: frozenset[str]
    ) -> list[ActiveSuppression]:
        """What is said of the address; and what the person said at another address of theirs.

        Stop, said at one of them, holds for all, unless they have agreed since.
        """
        found = self._facts.suppressions
        granted = [
            given.changed_at
            for given in (known.consents if known else ())
            if given.channel == message.channel and given.status == "granted"
        ]
        agreed_at = max(granted, default=None)
        said = [each for other in others for each in found.get(other, [])]
        return [
            *found.get(key, []),
            *(
                each
                for each in said
                if each.reason == "unsubscribed"
                and (agreed_at is None or each.created_at >= agreed_at)
            ),
        ]

    def _write(self, message: Message, known: Recipient | None, address: str) -> Prepared:
        channel, template = self._channel(message), self._facts.templates.get(message.template_key)
        if channel is None:
            return Prepared(self._end(message, "failed", "NO_CHANNEL"))
        if template is None:
            return Prepared(
                self._end(message, "failed", "TEMPLATE_NOT_FOUND", message.template_key)
            )
        url = self._links.url(self._facts.tenant_id, message.id)
        try:
            words = self._words(message, template, known, address, url)
            mail = compose(self._letter(message, known, address, words, url), channel)
        except RenderError as error:
            return Prepared(self._end(message, "failed", error.reason, str(error)))
        except ValueError as error:
            return Prepared(self._end(message, "failed", "MESSAGE_NOT_COMPOSABLE", str(error)))
        return Prepared(self._leased(message, template, words, address), mail, channel)

    def _channel(self, message: Message) -> EmailChannel | None:
        channels = self._facts.channels
        return channels.for_staff if message.origin == "staff" else channels.for_customers

    def _words(
        self,
        message: Message,
        template: Template,
        known: Recipient | None,
        address: str,
        url: str,
    ) -> Rendered:
        wishes = (message.locale, known.locale if known else None, self._facts.shop.locale)
        content = template.content_for(message.channel, wishes)
        promotional = message.message_class != "transactional"
        given = opened_variables(message, self._secrets)
        variables = message_variables(
            shop_name=self._facts.shop.name,
            recipient=known,
            name=message.recipient_name,
            address=address,
            locale=content.locale,
            given={**given, **({"unsubscribe_url": url} if promotional else {})},
        )
        return with_obligations(
            render_content(content, variables),
            message_class=message.message_class,
            unsubscribe_url=url,
        )

    def _letter(
        self,
        message: Message,
        known: Recipient | None,
        address: str,
        words: Rendered,
        url: str,
    ) -> Letter:
        return Letter(
            message_id=message.id,
            to_address=address,
            to_name=_to_name(message, known),
            words=words,
            at=self._now,
            unsubscribe_url=None if message.message_class == "transactional" else url,
            automatic=message.origin in ("automation", "survey", "staff", "lead_form"),
            reply_to=message.reply_to,
            thread_id=message.thread_id,
            trace=message.trace,
        )

    def _leased(
        self, message: Message, template: Template, words: Rendered, address: str
    ) -> Message:
        if message.message_class != "transactional":
            sends = self._facts.recent_sends.setdefault(address_key(address), [])
            sends.append(RecentSend(message.message_class, self._now))
        return replace(
            message,
            status="sending",
            reason=None,
            detail=None,
            hold=None,
            locale=words.locale,
            subject=words.subject,
            decision={**(message.decision or {}), "template_version": template.version},
            attempts=message.attempts + 1,
            lease_owner=self._lease.owner,
            lease_until=self._lease.until,
            attempted_at=self._now,
            version=message.version + 1,
            updated_at=self._now,
        )

    def _wait_for_recipient(
        self, message: Message, known: Recipient | None, delay: timedelta
    ) -> Message:
        """The event that planned a message can arrive before the one that tells of its customer."""
        return replace(
            message,
            reason="RECIPIENT_OUTDATED" if known else "RECIPIENT_UNKNOWN",
            hold="recipient",
            postponements=message.postponements + 1,
            due_at=self._now + delay,
            updated_at=self._now,
        )

    def _end(
        self, message: Message, status: Any, reason: str | None, detail: str | None = None
    ) -> Message:
        return replace(
            message,
            status=status,
            reason=reason,
            detail=detail,
            hold=None,
            finished_at=self._now,
            version=message.version + 1,
            updated_at=self._now,
        )


def _is_behind(known: Recipient | None, message: Message) -> bool:
    """Whether less is known of the customer than when it was decided to plan the message."""
    return known is None or known.version < (message.customer_version or 0)


def _document(decision: Decision) -> dict[str, Any]:
    return {
        "allowed": decision.allowed,
        "reason": decision.reason,
        "decided_at": decision.decided_at,
        "policy_version": decision.policy_version,
        "steps": [
            {
                "rule": step.rule,
                "outcome": step.outcome,
                "reason": step.reason,
                "evidence": step.evidence,
            }
            for step in decision.trace
        ],
    }


def _to_name(message: Message, known: Recipient | None) -> str | None:
    """By what name the mail calls whom it is to.

    None for a confirmation: a customer who came by a form has the name that was typed into it, and
    the address that it goes to may be somebody else's.
    """
    if message.origin == "lead_form":
        return None
    return message.recipient_name or (known.name if known else None)
