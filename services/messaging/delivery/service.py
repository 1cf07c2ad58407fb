"""Sending what is due: take under a lease, send outside any transaction, write down the outcome.

Between the two transactions a message is `sending`. Whoever dies there leaves it so; when the
lease has run out it becomes `unknown`, because the provider may have taken it. Nothing is ever
sent twice on a guess.
"""

import asyncio
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog

from services.messaging.channels.records import Channels, EmailChannel
from services.messaging.channels.repository import ChannelRepository
from services.messaging.delivery.mail import OutgoingMail
from services.messaging.delivery.metrics import count
from services.messaging.delivery.outcomes import RELEASED, Outcome
from services.messaging.delivery.preparation import Facts, Lease, Preparation, Prepared
from services.messaging.delivery.repository import DeliveryRepository
from services.messaging.delivery.settlement import LEASE_EXPIRED, settle
from services.messaging.delivery.smtp import Batch, SmtpConnections, batch_of
from services.messaging.leads.letters import BUILT_IN as FOR_LEADS
from services.messaging.messages.records import Message
from services.messaging.policies.decide import longest_promise, longest_window
from services.messaging.policies.repository import PolicyRepository
from services.messaging.preferences.digests import AddressDigests
from services.messaging.preferences.links import UnsubscribeLinks
from services.messaging.preferences.repository import Suppression, SuppressionRepository
from services.messaging.recipients.addresses import address_key
from services.messaging.recipients.records import Recipient
from services.messaging.recipients.repository import RecipientRepository
from services.messaging.shops.repository import Shop, ShopRepository
from services.messaging.staff_mail.letters import BUILT_IN as FOR_STAFF
from services.messaging.templates.records import Template
from services.messaging.templates.repository import TemplateRepository
from shared.db.failures import is_conflict, is_outage
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId, new_id
from shared.security.keys import SecretBox

BATCH: Final = 50
SENDING_SECONDS: Final = 15
# Longer than sending can take, so that a lease never runs out under a sender that lives.
LEASE: Final = timedelta(seconds=120)
_ROUNDS: Final = 40
_BUILT_IN: Final[Mapping[str, Template]] = {**FOR_STAFF, **FOR_LEADS}
# In all about as long as the lease lasts: until then nobody else has an opinion.
_RECORD_AGAIN_AFTER: Final = (0.1, 0.5, 2.0, 5.0, 10.0, 10.0, 15.0, 15.0, 20.0)
_log = structlog.get_logger(__name__)


class ChannelUnreadable(Exception):
    """A shop's channel was sealed with another secret key; its messages wait meanwhile."""


@dataclass(frozen=True, slots=True)
class Taken:
    """A batch under lease, by the channels that its mails leave through."""

    count: int
    mails: Mapping[EmailChannel, Sequence[OutgoingMail]]
    owner: UUID


class Delivery:
    """Sends the messages of any shop; one per process."""

    def __init__(
        self,
        *,
        units: UnitsOfWork,
        connections: SmtpConnections,
        links: UnsubscribeLinks,
        secrets: SecretBox,
        digests: AddressDigests,
        installation_channel: EmailChannel | None,
    ) -> None:
        self._units = units
        self._connections = connections
        self._links = links
        self._secrets = secrets
        self._digests = digests
        self._installation = installation_channel

    async def send_due(self, tenant_id: TenantId) -> bool:
        """Send what is due of one shop; whether more may be waiting."""
        loop = asyncio.get_running_loop()
        started = loop.time()
        for _ in range(_ROUNDS):
            if self._connections.in_a_hurry:
                return False
            try:
                taken = await self._take(tenant_id)
            except ChannelUnreadable:
                _log.exception("channel_unreadable", tenant=tenant_id.hex)
                return False
            if taken.mails:
                await self._send(tenant_id, taken)
            if taken.count < BATCH:
                return False
            if loop.time() - started > SENDING_SECONDS:
                break
        return True

    async def expire_leases(self, tenant_id: TenantId) -> None:
        """Messages whose sender went away become `unknown`."""
        async with self._units.begin(tenant_id) as uow:
            ledger, now = DeliveryRepository(uow), uow.clock.now()
            expired = await ledger.lock_expired(now=now, limit=BATCH)
            settled = [settle(message, LEASE_EXPIRED, now=now) for message in expired]
            await ledger.write(settled)
            _tell(uow, settled)
            await uow.commit()
        count(settled)
        if expired:
            _log.warning("leases_expired", tenant=tenant_id.hex, messages=len(expired))

    async def _take(self, tenant_id: TenantId) -> Taken:
        """Decide on what is due, and lease what may be sent."""
        owner = new_id()
        async with self._units.begin(tenant_id) as uow:
            # One taker per shop at a time: two that count an address's sends at once would both
            # find room under its cap.
            shop = await ShopRepository(uow).lock()
            if shop is None:
                return Taken(0, {}, owner)
            ledger, now = DeliveryRepository(uow), uow.clock.now()
            due = await ledger.take_due(now=now, limit=BATCH)
            if not due:
                return Taken(0, {}, owner)
            facts = await self._facts(uow, shop, due)
            preparation = Preparation(
                facts=facts,
                links=self._links,
                secrets=self._secrets,
                lease=Lease(owner, now + LEASE),
                now=now,
            )
            prepared = [_prepared(preparation, message) for message in due]
            changed = [each.message for each in prepared]
            await ledger.write(changed)
            _tell(uow, changed)
            try:
                await uow.commit()
            except BaseException:
                # Nobody knows whether they are leased now; that they are not being sent, only we.
                await uow.close()
                if released := _released(changed):
                    await asyncio.shield(self._record(tenant_id, owner, released))
                raise
        count(changed)
        return Taken(len(due), _by_channel(prepared), owner)

    async def _facts(self, uow: UnitOfWork, shop: Shop, due: Sequence[Message]) -> Facts:
        policy = await PolicyRepository(uow).get()
        customers = {m.customer_id for m in due if m.customer_id is not None}
        recipients = await RecipientRepository(uow).find_many(customers)
        addresses = {m.address for m in due} | {r.email for r in recipients.values()}
        keys = {address_key(address) for address in addresses if address}
        keys |= {key for r in recipients.values() for key in r.email_keys}
        promised = longest_promise(c for known in recipients.values() for c in known.consents)
        since = uow.clock.now() - max(longest_window(policy), promised)
        return Facts(
            tenant_id=uow.tenant_id,
            shop=shop,
            policy=policy,
            channels=await self._channels(uow),
            recipients=recipients,
            suppressions=await SuppressionRepository(uow, digests=self._digests).active(
                "email", keys
            ),
            recent_sends=await DeliveryRepository(uow).recent_sends(keys, since=since),
            templates=await self._templates(uow, {m.template_key for m in due}),
            cared_for=await self._cared_for(uow, due, recipients),
        )

    async def _cared_for(
        self, uow: UnitOfWork, due: Sequence[Message], recipients: Mapping[UUID, Recipient]
    ) -> frozenset[UUID]:
        """Which messages the person has had from the same automation by another of their records.

        Of whoever is one record, planning alone sees to it that nobody gets anything twice.
        """
        records: dict[UUID, tuple[UUID, ...]] = {}
        for message in due:
            known = recipients.get(message.customer_id) if message.customer_id else None
            once = message.origin == "automation" and not message.occurrence
            if once and known is not None and len(known.member_ids) > 1:
                records[message.id] = known.member_ids
        asked = [message for message in due if message.id in records]
        if not asked:
            return frozenset()
        others = await DeliveryRepository(uow).automated(
            {record_id for member_ids in records.values() for record_id in member_ids},
            origin_ids={message.origin_id for message in asked},
        )
        return frozenset(
            message.id
            for message in asked
            for other in others
            if other.origin_id == message.origin_id
            and other.customer_id in records[message.id]
            # Of several that are planned the first one is sent.
            and (other.id < message.id or (other.status != "planned" and other.id != message.id))
        )

    async def _templates(self, uow: UnitOfWork, keys: set[str]) -> Mapping[str, Template]:
        own = await TemplateRepository(uow).find_many(keys - _BUILT_IN.keys())
        return {**own, **_BUILT_IN}

    async def _channels(self, uow: UnitOfWork) -> Channels:
        try:
            own = await ChannelRepository(uow, secrets=self._secrets).find_default()
        except ValueError as error:
            raise ChannelUnreadable from error
        return Channels(own=own, installation=self._installation)

    async def _send(self, tenant_id: TenantId, taken: Taken) -> None:
        batches = [batch_of(channel, mails) for channel, mails in taken.mails.items()]
        try:
            # At the same time: one channel's slowness must not use up the lease of another's mails.
            async with asyncio.TaskGroup() as group:
                for batch in batches:
                    group.create_task(self._connections.send(batch, seconds=SENDING_SECONDS))
        finally:
            # Also when this job is being stopped: what is known must not become unknown.
            await asyncio.shield(self._record(tenant_id, taken.owner, _outcomes(batches)))

    async def _record(
        self, tenant_id: TenantId, owner: UUID, outcomes: Mapping[UUID, Outcome]
    ) -> None:
        """Write outcomes down, through a short outage too: they are known here and nowhere else.

        Doing it twice does nothing the second time: only what is still leased is settled.
        """
        for pause in _RECORD_AGAIN_AFTER:
            try:
                await self._record_once(tenant_id, owner, outcomes)
            except Exception as error:
                if not (is_conflict(error) or is_outage(error) or isinstance(error, OSError)):
                    raise
                _log.warning("outcomes_not_recorded", tenant=tenant_id.hex, error=repr(error)[:200])
                await asyncio.sleep(pause)
            else:
                return
        await self._record_once(tenant_id, owner, outcomes)

    async def _record_once(
        self, tenant_id: TenantId, owner: UUID, outcomes: Mapping[UUID, Outcome]
    ) -> None:
        async with self._units.begin(tenant_id) as uow:
            ledger, now = DeliveryRepository(uow), uow.clock.now()
            leased = await ledger.lock_leased(outcomes, owner=owner)
            settled = [settle(message, outcomes[message.id], now=now) for message in leased]
            await ledger.write(settled)
            gone = [message for message in settled if outcomes[message.id].nobody_there]
            await SuppressionRepository(uow).add(
                [_invalid_address(message) for message in gone if message.address]
            )
            _tell(uow, settled)
            await uow.commit()
        count(settled)
        _log.info("messages_sent", tenant=tenant_id.hex, messages=len(settled))


def _prepared(preparation: Preparation, message: Message) -> Prepared:
    try:
        return preparation.prepare(message)
    except Exception:  # noqa: BLE001  (one message must not stand in the way of all others)
        _log.exception("message_not_preparable", message=message.id.hex)
        return preparation.give_up(message)


def _by_channel(
    prepared: Sequence[Prepared],
) -> Mapping[EmailChannel, Sequence[OutgoingMail]]:
    mails: defaultdict[EmailChannel, list[OutgoingMail]] = defaultdict(list)
    for each in prepared:
        if each.channel is not None and each.mail is not None:
            mails[each.channel].append(each.mail)
    return mails


def _outcomes(batches: Sequence[Batch]) -> dict[UUID, Outcome]:
    """What became of all mails, also of a batch that was stopped before it began."""
    outcomes: dict[UUID, Outcome] = {}
    for batch in batches:
        batch.release_rest()
        outcomes |= batch.outcomes
    return outcomes


def _released(messages: Sequence[Message]) -> dict[UUID, Outcome]:
    return {message.id: RELEASED for message in messages if message.status == "sending"}


def _tell(uow: UnitOfWork, messages: Sequence[Message]) -> None:
    for message in messages:
        if (event := message.outcome_event()) is not None:
            uow.append(event, key=message.id, context=message.context)


def _invalid_address(message: Message) -> Suppression:
    return Suppression(
        id=new_id(),
        channel=message.channel,
        address=address_key(message.address or ""),
        scope="all",
        reason="invalid_address",
        source="provider",
        message_id=message.id,
        customer_id=message.customer_id,
        created_at=message.updated_at,
    )
