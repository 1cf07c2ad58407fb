"""How the endpoints of `leads` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.customers.identity_repository import IdentityRepository
from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep
from services.customer.families.family import Families
from services.customer.following import pair_weighing
from services.customer.lead_forms.deps import form_links
from services.customer.lead_forms.links import FormLinks
from services.customer.lead_forms.repository import LeadFormRepository
from services.customer.leads.capture import LeadCapture
from services.customer.leads.form_tokens import FormTokens
from services.customer.leads.intake import LeadIntake
from services.customer.leads.repository import LeadRepository
from services.customer.leads.service import LeadService
from services.customer.leads.submission_repository import SubmissionRepository


async def form_tokens(asked: AskedDep) -> FormTokens:
    """The tokens in the pages of the shop's forms."""
    return FormTokens(root_key=asked.part.settings.root_key, tenant_id=asked.uow.tenant_id)


async def lead_capture(
    asked: AskedDep, links: Annotated[FormLinks, Depends(form_links)]
) -> LeadCapture:
    """Makes leads."""
    shop = await asked.shops.of(asked.uow)
    return LeadCapture(
        uow=asked.uow,
        codes=asked.part.codes,
        shop=shop,
        links=links,
        weighing=pair_weighing(asked.uow),
    )


async def lead_intake(
    asked: AskedDep, capture: Annotated[LeadCapture, Depends(lead_capture)]
) -> LeadIntake:
    """Takes in what forms are sent."""
    uow, sight = asked.uow, asked.sight
    return LeadIntake(
        uow=uow,
        forms=LeadFormRepository(uow),
        submissions=SubmissionRepository(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        identities=IdentityRepository(uow),
        capture=capture,
        shop=await asked.shops.of(uow),
    )


async def lead_service(
    asked: AskedDep, capture: Annotated[LeadCapture, Depends(lead_capture)]
) -> LeadService:
    """What clients can do with leads."""
    uow, sight = asked.uow, asked.sight
    return LeadService(
        uow=uow,
        leads=LeadRepository(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        families=Families(uow),
        capture=capture,
    )


FormTokensDep = Annotated[FormTokens, Depends(form_tokens)]
LeadIntakeDep = Annotated[LeadIntake, Depends(lead_intake)]
LeadServiceDep = Annotated[LeadService, Depends(lead_service)]
