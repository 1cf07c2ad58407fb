"""Reactions to what platforms delivered to the gateway."""

from collections.abc import Sequence
from datetime import datetime

from services.customer.erased.identities import IdentityDigests
from services.customer.following import order_followers, pair_weighing
from services.customer.orders.news import OrderRemoval
from services.customer.platforms.addresses import addresses_of_customer, addresses_of_order
from services.customer.platforms.intake import (
    CustomerGone,
    CustomerTold,
    Delivery,
    OrderTold,
    PlatformIntake,
)
from services.customer.platforms.late import LateDeliveries
from services.customer.platforms.orders import order_content, order_key, order_lines, order_parts
from services.customer.platforms.people import person_of_customer, person_of_order
from services.customer.tenants.shops import Shops
from shared.contracts.gateway import PlatformCustomerReceived, PlatformOrderReceived
from shared.contracts.privacy import ErasedPersonDelivered
from shared.db.codes import CodeAllocator
from shared.db.unit_of_work import UnitOfWork
from shared.privacy.part import PartPrivacy
from shared.privacy.person import KnownPerson
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply


def take_in_deliveries(
    *, codes: CodeAllocator, shops: Shops, digests: IdentityDigests, privacy: PartPrivacy
) -> Apply:
    """The reaction to customers and orders that platforms told of."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        shop = await shops.of(uow)
        now = uow.clock.now()
        read = [_delivery(envelope, shop.country, now) for envelope in envelopes]
        # Without an id or an address nobody could ever be recognised again.
        deliveries = [d for d in read if isinstance(d, OrderRemoval) or d.person.identities]
        apart = await LateDeliveries(uow, digests=digests).told_apart(deliveries)
        intake = PlatformIntake(
            uow=uow,
            codes=codes,
            shop=shop,
            weighing=pair_weighing(uow),
            followers=order_followers(uow),
            erased=apart.owners,
        )
        await intake.take_in(apart.kept)
        if apart.owners:
            # An order tells more of who placed it than that: where it went, why it was called off.
            gone = KnownPerson(customer_ids=tuple(sorted(set(apart.owners.values()))))
            await privacy.erase_person(uow, gone)
        if apart.delivery_ids:
            late = ErasedPersonDelivered(delivery_ids=tuple(apart.delivery_ids))
            uow.append(late, key=late.delivery_ids[0])

    return apply


def _delivery(envelope: Envelope, region: str, now: datetime) -> Delivery:
    if envelope.type == PlatformCustomerReceived.type:
        return _customer(envelope.read(PlatformCustomerReceived), region)
    return _order(envelope.read(PlatformOrderReceived), region, now)


def _customer(event: PlatformCustomerReceived, region: str) -> Delivery:
    at = event.changed_at or event.origin.received_at
    person = person_of_customer(event.customer, event.origin, at=at, region=region)
    if event.deleted:
        return CustomerGone(person)
    return CustomerTold(person, addresses_of_customer(event.customer, region=region))


def _order(event: PlatformOrderReceived, region: str, now: datetime) -> Delivery:
    order, origin = event.order, event.origin
    key = order_key(order, origin)
    if event.deleted:
        return OrderRemoval(key, origin.received_at)
    person = person_of_order(
        order.customer, origin, order_id=key[1], at=order.changed_at, region=region
    )
    parts = order_parts(order, now=now)
    addresses = addresses_of_order(order, region=region)
    return OrderTold(person, order_content(order, origin), order_lines(order), parts, addresses)
