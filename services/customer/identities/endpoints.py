"""`/v1/customers/{customer_id}/identities`; the list is with the customers themselves."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.customers.schemas import IdentityRead, identity_json
from services.customer.identities.deps import IdentityServiceDep
from services.customer.identities.schemas import IdentityCreate, IdentityPatch
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/identities", tag="customers")

_READ = requires("customers:read")
_WRITE = requires("customers:write")


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="customers.createIdentity",
    dependencies=[_WRITE],
)
async def create_identity(
    customer_id: UUID, body: IdentityCreate, response: Response, identities: IdentityServiceDep
) -> IdentityRead:
    """Add something that a customer can be recognised by; it does not become the one to reach them.

    A verified address or number, and every platform id, belongs to one customer: 409 when it is
    another's. One that had ended for this customer is theirs again.
    """
    row = await identities.add(customer_id, body)
    response.headers["location"] = f"/v1/customers/{customer_id}/identities/{row.id}"
    response.headers["etag"] = etag(row.version)
    return identity_json(row)


@router.get("/{identity_id}", operation_id="customers.getIdentity", dependencies=[_READ])
async def get_identity(
    customer_id: UUID, identity_id: UUID, response: Response, identities: IdentityServiceDep
) -> IdentityRead:
    """Get something that a customer can be recognised by, ended or not."""
    row = await identities.get(customer_id, identity_id)
    response.headers["etag"] = etag(row.version)
    return identity_json(row)


@router.patch("/{identity_id}", operation_id="customers.updateIdentity", dependencies=[_WRITE])
async def update_identity(
    customer_id: UUID,
    identity_id: UUID,
    body: IdentityPatch,
    response: Response,
    identities: IdentityServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> IdentityRead:
    """End, share or verify what a customer is recognised by.

    A number with `valid_until` is history: it recognises nobody, may be verified by whoever has it
    now, and is no longer the one to reach this customer by. What was recognised by it before stays
    where it is.
    """
    row = await identities.change(customer_id, identity_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return identity_json(row)


@router.delete(
    "/{identity_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="customers.deleteIdentity",
    dependencies=[_WRITE],
)
async def delete_identity(
    customer_id: UUID,
    identity_id: UUID,
    identities: IdentityServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> None:
    """Forget what never was the customer's; end what is not theirs any more instead."""
    await identities.remove(customer_id, identity_id, expected_version=expected_version)
