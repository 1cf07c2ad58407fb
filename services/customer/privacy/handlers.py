"""What the parts tell of people's data, and what platforms ask for."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.customer.customers.identity_match import KnownIdentity
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.platforms.people import guests_of, identities_of
from services.customer.privacy.collecting import Collecting
from services.customer.privacy.erasing import Receipts
from services.customer.privacy.receipts import ReceiptSigner
from services.customer.privacy.repository import PrivacyRepository
from services.customer.privacy.requests import PrivacyRequests, Request
from services.customer.privacy.schemas import FORGETTING, PrivacyRequestCreate
from services.customer.privacy.sources import PlatformSource
from services.customer.privacy.wiring import source_forgetting
from services.customer.tenants.shops import Shops
from shared.contracts.gateway import (
    PlatformOrigin,
    PlatformPrivacyRequested,
    PlatformShopRedacted,
)
from shared.contracts.privacy import ErasureConfirmed, PersonalDataTold, PrivacyRequestKind
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds
from shared.security.keys import RootKey
from shared.stream.envelope import Envelope
from shared.stream.handlers import Apply

_PART: Final = "customer"
_KINDS: Final[dict[str, PrivacyRequestKind]] = {"data_request": "access", "redact": "erasure"}


def collect_data(kinds: JobKinds) -> Apply:
    """The reaction to what the parts have of a person."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            job_id = await Collecting(uow).keep(envelope.read(PersonalDataTold))
            if job_id is not None:
                await JobRepository(uow, schema=_PART).resume(job_id)
                kinds.wake_after_commit(uow)

    return apply


def confirm_erasures(signer: ReceiptSigner, shops: Shops) -> Apply:
    """The reaction to parts that have erased a person; the last one ends the request."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        requests = PrivacyRequests(uow=uow, shop=await shops.of(uow))
        for envelope in envelopes:
            event = envelope.read(ErasureConfirmed)
            request_id = await Receipts(uow=uow, signer=signer).confirm(event)
            if request_id is not None:
                row = await PrivacyRepository(uow).get(request_id, lock=True)
                # A platform's request about all of a shop's customers is many erasures.
                if row.closed_at is None and row.customer_id is not None:
                    await requests.close(row, "completed")

    return apply


def open_requests(root: RootKey, shops: Shops) -> Apply:
    """The reaction to platforms that pass on what their customers ask for.

    What is to be erased of what the platform told is erased at once: it has made sure who asks.
    """

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        shop = await shops.of(uow)
        requests = PrivacyRequests(uow=uow, shop=shop)
        for envelope in envelopes:
            event = envelope.read(PlatformPrivacyRequested)
            identities = [
                *identities_of(event.customer, event.origin, region=shop.country),
                *guests_of(event.orders, event.origin),
            ]
            held = await IdentityRepository(uow).holders(identities)
            customer_id = _known(held)
            now = uow.clock.now()
            row = await requests.open(
                PrivacyRequestCreate(
                    kind=_KINDS[event.kind],
                    customer_id=customer_id,
                    received_at=min(event.origin.received_at, now),
                ),
                channel="platform",
                opened_by=event.origin.source,
                identity_check={
                    "method": "platform",
                    "by": event.origin.source,
                    "at": now.isoformat(),
                },
                source_key=str(event.origin.delivery_id),
            )
            # Who only claims an address is for a person to decide.
            if row is not None and not held:
                await requests.close(row, "completed", outcome="Nothing is known of the person")
            elif row is not None and customer_id is not None and row.kind == "erasure":
                await _forget(uow, root, requests, row, event.origin)

    return apply


def forget_shops(shops: Shops, kinds: JobKinds) -> Apply:
    """The reaction to platforms that have all that they told of a shop's customers be erased."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        requests = PrivacyRequests(uow=uow, shop=await shops.of(uow))
        for envelope in envelopes:
            origin = envelope.read(PlatformShopRedacted).origin
            source = PlatformSource(origin.source, origin.connection_id)
            now = uow.clock.now()
            row = await requests.open(
                PrivacyRequestCreate(
                    kind="erasure",
                    details=f"Everything that {source.scope} told",
                    received_at=min(origin.received_at, now),
                ),
                channel="platform",
                opened_by=origin.source,
                identity_check={"method": "platform", "by": origin.source, "at": now.isoformat()},
                source_key=str(origin.delivery_id),
            )
            if row is None:
                continue
            detail = {
                "privacy_request_id": str(row.id),
                "source": source.source,
                "connection_id": str(source.connection_id),
            }
            job_id = await JobRepository(uow, schema=_PART).add(FORGETTING, detail=detail)
            begun = {"status": "in_progress", "acknowledged_at": now, "job_id": job_id}
            await requests.change(row, **begun)
            kinds.wake_after_commit(uow)

    return apply


async def _forget(
    uow: UnitOfWork, root: RootKey, requests: PrivacyRequests, row: Request, origin: PlatformOrigin
) -> None:
    """Erase what a platform told of a person; under a legal hold the request stays open."""
    source = PlatformSource(origin.source, origin.connection_id)
    forgetting = source_forgetting(uow, root)
    became, erasure_id = await forgetting.forget(row.customer_id, source, request_id=row.id)
    if became == "taken_back":
        await requests.close(row, "completed", outcome="What other sources told stays")
    elif became == "erased":
        row = await PrivacyRepository(uow).get(row.id)
        now = uow.clock.now()
        await requests.change(row, status="in_progress", acknowledged_at=now, erasure_id=erasure_id)


def _known(held: Sequence[KnownIdentity]) -> UUID | None:
    """Whose these identities are for certain: those that the platform vouches for."""
    return next((known.customer_id for known in held if known.identifier.trusted), None)
