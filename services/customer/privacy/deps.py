"""How the endpoints of `privacy` get what they call."""

from typing import Annotated

from fastapi import Depends, Request

from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep, ShopDep, owner_of
from services.customer.erased.identities import IdentityDigests
from services.customer.families.seen import SeenPeople
from services.customer.privacy.erasing import Erasing, Receipts
from services.customer.privacy.holds import LegalHoldService
from services.customer.privacy.receipts import ReceiptSigner
from services.customer.privacy.repository import PrivacyRepository
from services.customer.privacy.service import PrivacyService
from services.customer.privacy.wiring import customer_privacy
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds
from shared.security.keys import SecretBox
from shared.web.auditing import actor_of
from shared.web.routing import PrincipalDep


async def privacy_service(
    asked: AskedDep,
    shop: ShopDep,
    principal: PrincipalDep,
    request: Request,
    kinds: Annotated[JobKinds, Depends(job_kinds)],
) -> PrivacyService:
    """What clients can do with privacy requests."""
    uow, root = asked.uow, asked.part.settings.root_key
    secrets = SecretBox(root)
    return PrivacyService(
        uow=uow,
        shop=shop,
        customers=CustomerRepository(uow, sight=asked.sight),
        erasing=Erasing(
            uow=uow,
            privacy=customer_privacy(root),
            secrets=secrets,
            digests=IdentityDigests(root),
        ),
        secrets=secrets,
        jobs=JobRepository(uow, schema=asked.part.units.schema),
        kinds=kinds,
        actor=actor_of(principal, request, action="privacyRequests"),
        sight=asked.sight,
        owner=owner_of(principal),
    )


async def receipt_signer(asked: AskedDep) -> ReceiptSigner:
    """Who signs receipts."""
    return ReceiptSigner(asked.part.settings.root_key)


ReceiptSignerDep = Annotated[ReceiptSigner, Depends(receipt_signer)]


async def receipts(asked: AskedDep, signer: ReceiptSignerDep) -> Receipts:
    """Receipts of erasures."""
    return Receipts(uow=asked.uow, signer=signer)


async def legal_hold_service(asked: AskedDep, principal: PrincipalDep) -> LegalHoldService:
    """What clients can do with legal holds."""
    return LegalHoldService(
        uow=asked.uow,
        requests=PrivacyRepository(asked.uow, sight=asked.sight),
        people=SeenPeople(asked.uow, sight=asked.sight),
        actor_id=principal.actor_id,
    )


PrivacyServiceDep = Annotated[PrivacyService, Depends(privacy_service)]
ReceiptsDep = Annotated[Receipts, Depends(receipts)]
LegalHoldServiceDep = Annotated[LegalHoldService, Depends(legal_hold_service)]
