"""What the gateway does with what it is told: the audit log, and the feed of public events."""

from collections.abc import Sequence
from typing import Any

from gateway.audit_log.handlers import keep_records
from gateway.deliveries.erasure import erase_deliveries, forget_deliveries
from gateway.erasure import gateway_privacy
from gateway.events.announcing import Announce, tell_nobody
from gateway.events.catalogue import CONTRACTS
from gateway.events.handlers import FeedWriter
from gateway.outgoing import sender_waker
from gateway.webhooks.fanout import Fanout
from shared.contracts.audit import AuditRecorded
from shared.contracts.customer import CustomFieldDefined
from shared.contracts.privacy import (
    CustomerErased,
    CustomerSourceForgotten,
    ErasedPersonDelivered,
    PersonalDataRequested,
)
from shared.db.unit_of_work import UnitOfWork
from shared.part.context import PartContext
from shared.privacy.field_marks import keep_field_marks
from shared.privacy.person import KnownPerson
from shared.security.keys import SecretBox
from shared.stream.envelope import Envelope
from shared.stream.handlers import EventHandlers


def build_handlers(context: PartContext[Any], *, announce: Announce = tell_nobody) -> EventHandlers:
    """The table of reactions; `announce` tells those who follow a feed that it has grown."""
    fanout = Fanout(wake=sender_waker(context).wake)
    feed = FeedWriter(spread=fanout.spread, announce=announce)
    # A write tells of itself and is recorded: neither must cut the other's batches to pieces.
    handlers = EventHandlers(independent=True)
    handlers.on(AuditRecorded, apply=keep_records)
    handlers.on(ErasedPersonDelivered, apply=forget_deliveries)
    handlers.on(CustomFieldDefined, apply=keep_field_marks(context.settings.part))
    # An erasure is told to the outside and done here.
    privacy = gateway_privacy(context.settings.root_key)
    secrets = SecretBox(context.settings.root_key)
    told = [contract for contract in CONTRACTS if contract is not CustomerErased]
    handlers.on(*told, apply=feed.apply).on(PersonalDataRequested, apply=privacy.tell)

    async def erase(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        await feed.apply(uow, envelopes)
        await privacy.erase(uow, envelopes)

    async def forget(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            sealed = envelope.read(CustomerSourceForgotten).sealed
            await erase_deliveries(uow, KnownPerson.opened((), sealed, secrets))

    return handlers.on(CustomerErased, apply=erase).on(CustomerSourceForgotten, apply=forget)
