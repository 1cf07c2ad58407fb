"""How the endpoints of `lead_forms` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.lead_forms.links import FormLinks
from services.customer.lead_forms.repository import LeadFormRepository
from services.customer.lead_forms.service import LeadFormService


async def form_links(asked: AskedDep) -> FormLinks:
    """The addresses of the shop's forms."""
    settings = asked.part.settings
    return FormLinks(
        root_key=settings.root_key,
        public_url=settings.public_url,
        tenant_id=asked.uow.tenant_id,
    )


async def lead_form_service(asked: AskedDep) -> LeadFormService:
    """What clients can do with lead forms."""
    return LeadFormService(uow=asked.uow, forms=LeadFormRepository(asked.uow))


FormLinksDep = Annotated[FormLinks, Depends(form_links)]
LeadFormServiceDep = Annotated[LeadFormService, Depends(lead_form_service)]
