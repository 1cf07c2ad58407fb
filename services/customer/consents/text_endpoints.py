"""`/v1/consent-texts`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.consents.deps import ConsentTextServiceDep
from services.customer.consents.text_schemas import ConsentTextCreate, ConsentTextRead, TextKey
from shared.db.paging import PageRequest
from shared.web.resources import Page, page_request
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/consent-texts", tag="consents")


@router.get("", operation_id="consentTexts.list", dependencies=[requires("privacy:read")])
async def list_consent_texts(
    texts: ConsentTextServiceDep,
    request: Annotated[PageRequest, Depends(page_request)],
    key: TextKey | None = None,
) -> Page[ConsentTextRead]:
    """List what people were ever asked to agree to, newest first."""
    rows, cursor = await texts.page(request, key=key)
    data = [ConsentTextRead.model_validate(row._mapping) for row in rows]
    return Page(data=data, next_cursor=cursor)


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="consentTexts.create",
    dependencies=[requires("privacy:write")],
)
async def create_consent_text(
    body: ConsentTextCreate, response: Response, texts: ConsentTextServiceDep
) -> ConsentTextRead:
    """Write the next version of a text. Said again, the newest version is the answer.

    Consents that name a version prove which words were agreed to: it cannot be changed or deleted.
    """
    row = await texts.write(body)
    response.headers["location"] = f"/v1/consent-texts/{row.id}"
    return ConsentTextRead.model_validate(row._mapping)


@router.get("/{text_id}", operation_id="consentTexts.get", dependencies=[requires("privacy:read")])
async def get_consent_text(text_id: UUID, texts: ConsentTextServiceDep) -> ConsentTextRead:
    """Get a version of a text."""
    row = await texts.get(text_id)
    return ConsentTextRead.model_validate(row._mapping)
