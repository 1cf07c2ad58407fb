"""`/v1/customers/{customer_id}/addresses`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Response, status

from services.customer.addresses.deps import AddressServiceDep
from services.customer.addresses.schemas import (
    AddressCreate,
    AddressList,
    AddressPatch,
    AddressRead,
    address_read,
)
from services.customer.addresses.units import units
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers/{customer_id}/addresses", tag="customers")

_READ = requires("customers:read")
_WRITE = requires("customers:write")


@router.get("", operation_id="customers.listAddresses", dependencies=[_READ])
async def list_addresses(customer_id: UUID, addresses: AddressServiceDep) -> AddressList:
    """List the addresses of a customer, the primary one first, then the newest."""
    rows = await addresses.list_of(customer_id)
    return AddressList(data=[address_read(row, units()) for row in rows])


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="customers.createAddress",
    dependencies=[_WRITE],
)
async def create_address(
    customer_id: UUID, body: AddressCreate, response: Response, addresses: AddressServiceDep
) -> AddressRead:
    """Add an address, as one text or in parts; the first is the primary one.

    Addresses of Vietnam are found in both schemes: names of before July 2025 get their codes of
    then and the ward and province that they are in now.
    """
    row = await addresses.create(customer_id, body)
    response.headers["location"] = f"/v1/customers/{customer_id}/addresses/{row.id}"
    response.headers["etag"] = etag(row.version)
    return address_read(row, units())


@router.get("/{address_id}", operation_id="customers.getAddress", dependencies=[_READ])
async def get_address(
    customer_id: UUID, address_id: UUID, response: Response, addresses: AddressServiceDep
) -> AddressRead:
    """Get an address of a customer."""
    row = await addresses.get(customer_id, address_id)
    response.headers["etag"] = etag(row.version)
    return address_read(row, units())


@router.patch("/{address_id}", operation_id="customers.updateAddress", dependencies=[_WRITE])
async def update_address(
    customer_id: UUID,
    address_id: UUID,
    body: AddressPatch,
    response: Response,
    addresses: AddressServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> AddressRead:
    """Change an address. A new `full_address` is taken apart; parts that are given go before."""
    row = await addresses.change(customer_id, address_id, body, expected_version=expected_version)
    response.headers["etag"] = etag(row.version)
    return address_read(row, units())


@router.delete(
    "/{address_id}",
    status_code=status.HTTP_204_NO_CONTENT,
    operation_id="customers.deleteAddress",
    dependencies=[_WRITE],
)
async def delete_address(
    customer_id: UUID, address_id: UUID, addresses: AddressServiceDep
) -> Response:
    """Remove an address."""
    await addresses.delete(customer_id, address_id)
    return Response(status_code=status.HTTP_204_NO_CONTENT)
