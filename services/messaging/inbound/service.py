"""Inbound messages: taken in once, linked to their sender, told of."""

from collections.abc import Sequence
from uuid import UUID, uuid5

from services.messaging.inbound.records import InboundMessage
from services.messaging.inbound.repository import InboundRepository
from services.messaging.inbound.schemas import InboundMessageCreate
from services.messaging.recipients.repository import RecipientRepository
from services.messaging.shops.repository import ShopRepository
from shared.contracts.messaging import InboundMessageReceived
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.phone import normalise_phone
from shared.privacy.part import PartPrivacy

_UNKNOWN_SENDERS = UUID("0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f01")


class InboundService:
    """What clients can do with inbound messages."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        inbound: InboundRepository,
        recipients: RecipientRepository,
        shops: ShopRepository,
        privacy: PartPrivacy,
    ) -> None:
        self._uow = uow
        self._inbound = inbound
        self._recipients = recipients
        self._shops = shops
        self._privacy = privacy

    async def receive(self, given: InboundMessageCreate) -> tuple[InboundMessage, bool]:
        """The message, and whether it is new: the same external id again is the same message."""
        new = await self._new(given)
        if not await self._inbound.add(new):
            known = await self._inbound.get(channel=new.channel, external_id=new.external_id)
            return known, False
        self._uow.append(_received(new), key=_key_of(new))
        if given.customer_id is not None:
            # Nobody finds somebody who was erased by an address; who names them may be late.
            await self._privacy.erase_again(self._uow, [given.customer_id])
        return new, True

    async def list_page(
        self, request: PageRequest, *, customer_id: UUID | None, channel: str | None
    ) -> tuple[Sequence[InboundMessage], str | None]:
        """A page of inbound messages, received last first."""
        return await self._inbound.list_page(request, customer_id=customer_id, channel=channel)

    async def _new(self, given: InboundMessageCreate) -> InboundMessage:
        now, sender = self._uow.clock.now(), given.sender
        phone = await self._e164(sender.phone)
        customer_id = given.customer_id or await self._recipients.find_by_address(
            email=sender.email, phone=phone
        )
        return InboundMessage(
            id=new_id(),
            channel=given.channel,
            external_id=given.external_id,
            conversation_ref=given.conversation_ref,
            customer_id=customer_id,
            sender_name=sender.name,
            sender_email=sender.email,
            sender_phone=phone or sender.phone,
            subject=given.subject,
            text=given.text,
            # Clocks of channels run ahead; nothing was received that is yet to come.
            received_at=min(given.received_at or now, now),
            created_at=now,
        )

    async def _e164(self, phone: str | None) -> str | None:
        if phone is None:
            return None
        return normalise_phone(phone, region=(await self._shops.find()).country).e164


def _received(message: InboundMessage) -> InboundMessageReceived:
    return InboundMessageReceived(
        inbound_id=message.id,
        channel=message.channel,
        external_id=message.external_id,
        conversation_ref=message.conversation_ref,
        customer_id=message.customer_id,
        sender_name=message.sender_name,
        sender_email=message.sender_email,
        sender_phone=message.sender_phone,
        subject=message.subject,
        text=message.text,
        received_at=message.received_at,
    )


def _key_of(message: InboundMessage) -> UUID:
    """Messages of one person, else of one conversation, stay in order."""
    conversation = message.conversation_ref or message.external_id
    return message.customer_id or uuid5(_UNKNOWN_SENDERS, f"{message.channel}:{conversation}")
