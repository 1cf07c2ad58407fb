"""Someone said stop in a message: whoever has the address takes the consent back."""

from collections.abc import Iterator, Sequence
from typing import get_args
from uuid import UUID

from services.customer.consents.recording import Answer, ConsentRecorder, ContactPurpose
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.identities import Identity, email_identity, phone_identity
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.tenants.shops import Shops
from shared.contracts.messaging import RecipientUnsubscribed
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply

_SOURCE = "messaging"


def withdraw_consents(shops: Shops) -> Apply:
    """The reaction to people who unsubscribe."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        region = (await shops.of(uow)).country
        told = [(envelope, envelope.read(RecipientUnsubscribed)) for envelope in envelopes]
        addresses = {event.address: _identity(event, region) for _, event in told}
        holders = await _holders(IdentityRepository(uow), addresses)
        for _, event in told:
            if event.customer_id is not None:
                holders[event.address].add(event.customer_id)
        changes = CustomerChanges(uow)
        await changes.lock(set().union(*holders.values()))
        answers = [
            answer
            for envelope, event in told
            for customer_id in sorted(holders[event.address])
            if customer_id in changes
            for answer in _answers(envelope, event, customer_id)
        ]
        await ConsentRecorder(uow=uow, changes=changes).record(answers)
        await changes.save()

    return apply


async def _holders(
    identities: IdentityRepository, addresses: dict[str, Identity | None]
) -> dict[str, set[UUID]]:
    """Everybody who has an address: it is the mailbox that said stop, whoever reads it."""
    wanted = {i.key: i for i in addresses.values() if i is not None}
    held: dict[tuple[str, str, str], set[UUID]] = {key: set() for key in wanted}
    for known in await identities.holders(wanted.values()):
        identifier = known.identifier
        holder = known.record_id or known.customer_id
        held[identifier.kind, identifier.source, identifier.value].add(holder)
    return {
        address: held[identity.key] if identity else set()
        for address, identity in addresses.items()
    }


def _identity(event: RecipientUnsubscribed, region: str) -> Identity | None:
    if event.channel == "email":
        return email_identity(event.address, source=_SOURCE)
    return phone_identity(event.address, source=_SOURCE, region=region)


def _answers(
    envelope: Envelope, event: RecipientUnsubscribed, customer_id: UUID
) -> Iterator[Answer]:
    every = event.purpose == "all"
    purposes: tuple[ContactPurpose, ...] = get_args(ContactPurpose) if every else ("marketing",)
    for purpose in purposes:
        yield Answer(
            customer_id=customer_id,
            purpose=purpose,
            channel=event.channel,
            status="withdrawn",
            at=event.at,
            source=_SOURCE,
            proof={"event_id": str(envelope.id), "address": event.address},
            act="chose_in_preferences",
        )
