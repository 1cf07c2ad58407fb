"""What the parts tell of people's data, and what platforms ask for."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from services.customer.customers.identity_match import KnownIdentity
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.platforms.people import identities_of
from services.customer.privacy.collecting import Collecting
from services.customer.privacy.erasing import Receipts
from services.customer.privacy.receipts import ReceiptSigner
from services.customer.privacy.repository import PrivacyRepository
from services.customer.privacy.schemas import PrivacyRequestCreate
from services.customer.privacy.service import PrivacyRequests
from services.customer.tenants.shops import Shops
from shared.contracts.gateway import PlatformPrivacyRequested
from shared.contracts.privacy import ErasureConfirmed, PersonalDataTold, PrivacyRequestKind
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds
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
                if row.closed_at is None:
                    await requests.close(row, "completed")

    return apply


def open_requests(shops: Shops) -> Apply:
    """The reaction to platforms that pass on what their customers ask for."""

    async def apply(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        shop = await shops.of(uow)
        requests = PrivacyRequests(uow=uow, shop=shop)
        for envelope in envelopes:
            event = envelope.read(PlatformPrivacyRequested)
            identities = identities_of(event.customer, event.origin, region=shop.country)
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

    return apply


def _known(held: Sequence[KnownIdentity]) -> UUID | None:
    """Whose these identities are for certain: those that the platform vouches for."""
    return next((known.customer_id for known in held if known.identifier.trusted), None)
