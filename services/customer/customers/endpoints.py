"""`/v1/customers`."""

from typing import Annotated
from uuid import UUID

from fastapi import Depends, Path, Query, Response, status

from services.customer.customers.deps import CustomerListsDep, CustomerServiceDep
from services.customer.customers.lists import CustomerFilter
from services.customer.customers.record import CustomerRecord, Stage
from services.customer.customers.schemas import (
    CustomerCreate,
    CustomerPatch,
    CustomerRead,
    CustomerUpsert,
    ExternalId,
    IdentityList,
    Source,
    Tag,
    customer_json,
    identity_json,
)
from services.customer.customers.search import Search
from services.customer.deps import ShopDep
from shared.db.paging import PageRequest
from shared.moments import Instant
from shared.pii import PII_READ
from shared.text import NormalisedStr
from shared.web.answers import json_answer
from shared.web.resources import Page, etag, if_match, page_request
from shared.web.routing import PrincipalDep, requires, service_router

router = service_router(prefix="/v1/customers", tag="customers")

_READ = requires("customers:read")
_WRITE = requires("customers:write")


SearchText = Annotated[
    NormalisedStr | None,
    Query(
        description="Words of a name (accents may be left out), a code, part of an e-mail address "
        "or the last digits of a phone; the best of the newest 200 matches first. Without "
        "`pii:read` names and codes only",
        examples=["nguyen van duc"],
    ),
]


async def customer_filter(
    stage: Stage | None = None,
    source: Source | None = None,
    owner_id: Annotated[UUID | None, Query(description="Of this member of staff")] = None,
    tag: Tag | None = None,
    created_from: Annotated[Instant | None, Query(alias="created_at[gte]")] = None,
    created_until: Annotated[Instant | None, Query(alias="created_at[lt]")] = None,
) -> CustomerFilter:
    """The filters of the list; all that are given must hold."""
    return CustomerFilter(
        stage=stage,
        source=source,
        owner_id=owner_id,
        tag=tag,
        created_from=created_from,
        created_until=created_until,
    )


@router.post(
    "",
    status_code=status.HTTP_201_CREATED,
    operation_id="customers.create",
    response_model=CustomerRead,
    dependencies=[_WRITE],
)
async def create_customer(body: CustomerCreate, customers: CustomerServiceDep) -> Response:
    """Create a customer.

    Others with the same e-mail address or phone number are not merged into the new one: they
    become duplicate candidates (`GET /v1/duplicates`). An external id, or an address or number
    given as verified, belongs to one customer: 409 when it is another's.
    """
    created = await customers.create(body)
    return _answer(created, status=status.HTTP_201_CREATED, location=f"/v1/customers/{created.id}")


@router.get(
    "", operation_id="customers.list", response_model=Page[CustomerRead], dependencies=[_READ]
)
async def list_customers(
    lists: CustomerListsDep,
    shop: ShopDep,
    wanted: Annotated[CustomerFilter, Depends(customer_filter)],
    request: Annotated[PageRequest, Depends(page_request)],
    principal: PrincipalDep,
    q: SearchText = None,
) -> Response:
    """List customers, newest first; with `q`, search them, best match first.

    Staff who see their own work see the customers they own and those whom nobody owns; staff who
    see their teams' work also those of their teammates.
    """
    contacts = PII_READ in principal.scopes
    search = Search.read(q, region=shop.country, contacts=contacts) if q is not None else None
    rows, cursor = await lists.page(search, wanted, request)
    data = [customer_json(row) for row in rows]
    return json_answer({"data": data, "next_cursor": cursor})


@router.get(
    "/by-code/{code}",
    operation_id="customers.getByCode",
    response_model=CustomerRead,
    dependencies=[_READ],
)
async def get_customer_by_code(
    code: Annotated[str, Path(max_length=32, examples=["KH000123"])],
    customers: CustomerServiceDep,
) -> Response:
    """Get a customer by the code people use, upper or lower case."""
    found = await customers.get_by_code(code)
    return _answer(found)


@router.put(
    "/by-external-id/{source}/{external_id}",
    operation_id="customers.putByExternalId",
    response_model=CustomerRead,
    dependencies=[_WRITE],
    responses={201: {"model": CustomerRead, "description": "Nobody had the id: a new customer"}},
)
async def put_customer(
    source: Source,
    external_id: ExternalId,
    body: CustomerUpsert,
    customers: CustomerServiceDep,
) -> Response:
    """Create or change the customer whom another system knows by an id of its own.

    What is absent stays as it is and `null` clears, as in a PATCH. For an id of a connected
    platform `source` is `<platform>:<connection id>`.
    """
    record, created = await customers.upsert(source=source, external_id=external_id, given=body)
    return _answer(record, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK)


@router.get(
    "/{customer_id}",
    operation_id="customers.get",
    response_model=CustomerRead,
    dependencies=[_READ],
)
async def get_customer(customer_id: UUID, customers: CustomerServiceDep) -> Response:
    """Get a customer with their order figures and current consents."""
    found = await customers.get(customer_id)
    return _answer(found)


@router.patch(
    "/{customer_id}",
    operation_id="customers.update",
    response_model=CustomerRead,
    dependencies=[_WRITE],
)
async def update_customer(
    customer_id: UUID,
    body: CustomerPatch,
    customers: CustomerServiceDep,
    expected_version: Annotated[int | None, Depends(if_match)],
) -> Response:
    """Change a customer: what is absent stays as it is, `null` clears, attributes merge.

    Send the `ETag` you read as `If-Match` to be told (412) when somebody else was faster.
    """
    changed = await customers.change(customer_id, body, expected_version=expected_version)
    return _answer(changed)


@router.get(
    "/{customer_id}/identities", operation_id="customers.listIdentities", dependencies=[_READ]
)
async def list_identities(customer_id: UUID, customers: CustomerServiceDep) -> IdentityList:
    """List what a customer can be recognised by: platform ids, addresses, numbers."""
    identities = await customers.identities_of(customer_id)
    return IdentityList(data=[identity_json(row) for row in identities])


def _answer(
    record: CustomerRecord, *, status: int = status.HTTP_200_OK, location: str | None = None
) -> Response:
    headers = {"etag": etag(record.version)} | ({"location": location} if location else {})
    return json_answer(customer_json(record.values()), status=status, headers=headers)
