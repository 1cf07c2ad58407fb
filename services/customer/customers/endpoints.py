"""`/v1/customers`."""

from dataclasses import replace
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Path, Request, Response, status

from services.customer.customers.batch_schemas import CustomerBatch, CustomerBatchRead
from services.customer.customers.calendar import Calendar
from services.customer.customers.deps import BatchUpsertDep, CustomerServiceDep, selection_of
from services.customer.customers.filtering import PARAMETERS
from services.customer.customers.list_query import ListQuery, read_list
from services.customer.customers.lists import WALKED_AT_MOST, CustomerLists
from services.customer.customers.record import CustomerRecord
from services.customer.customers.schemas import (
    NOT_COUNTED,
    CustomerCreate,
    CustomerList,
    CustomerPatch,
    CustomerRead,
    CustomerUpsert,
    ExternalId,
    IdentityList,
    Source,
    customer_json,
    identity_json,
)
from services.customer.customers.selection import ATTRIBUTES
from services.customer.deps import AskedDep
from shared.pii import PII_READ
from shared.web.answers import json_answer
from shared.web.resources import etag, if_match
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/customers", tag="customers")

_READ = requires("customers:read")
_WRITE = requires("customers:write")


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
    calendar = await customers.calendar()
    return _answer(
        created, calendar, status=status.HTTP_201_CREATED, location=f"/v1/customers/{created.id}"
    )


@router.get(
    "",
    operation_id="customers.list",
    response_model=CustomerList,
    dependencies=[_READ],
    openapi_extra={"parameters": [*PARAMETERS, ATTRIBUTES]},
)
async def list_customers(
    request: Request, asked: AskedDep, given: Annotated[ListQuery, Depends(read_list)]
) -> Response:
    """List customers, newest first unless `sort` says otherwise; with `q`, search them.

    All filters must hold. Filters on fields of the shop's own are written
    `attributes[shoe_size]=39`, `attributes[shoe_size][gte]=38`; see `docs/custom-fields.md`.
    Filters and orders by what is masked without `pii:read` (the day of birth, fields that the shop
    has marked) need it, too: 403 `personal_question`.

    Records that were merged into others are not listed. Where matches are rare a page looks at
    20,000 customers at most, so it may be shorter than `limit`, or empty, and yet have a
    `next_cursor`: the list ends where that is null. That bound is for callers who see everybody,
    and not for several tags, of which any would do.

    Staff who see their own work see the customers they own and those whom nobody owns; staff who
    see their teams' work also those of their teammates.
    """
    selection = selection_of(asked, request)
    shop = await asked.shops.of(asked.uow)
    wanted = await selection.wanted(currency=shop.currency)
    order = await selection.sort(given.sort)
    lists = CustomerLists(asked.uow, sight=asked.sight)
    sees_personal = PII_READ in asked.principal.scopes
    search = given.search(region=shop.country, contacts=sees_personal)
    asked_page = given.asked()
    sealed = asked.sealed_cursors if order.is_personal and not sees_personal else None
    if sealed is not None:
        asked_page = replace(asked_page, cursor=sealed.open(asked_page.cursor))
    rows, cursor = await lists.page(search, wanted, asked_page, sort=order, walk=WALKED_AT_MOST)
    if sealed is not None:
        cursor = sealed.seal(cursor)
    calendar = Calendar.of(shop, asked.uow.clock.now())
    data = [customer_json(row, calendar) for row in rows]
    answer: dict[str, Any] = {"data": data, "next_cursor": cursor, **NOT_COUNTED}
    if given.count is not None and search is None:
        number, is_exact = await lists.count(wanted, given.count)
        answer |= {"count": number, "count_is_exact": is_exact}
    return json_answer(answer)


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
    """Get a customer by the code people use, upper or lower case.

    The code of a record that was merged leads to who stands for it.
    """
    found = await customers.get_by_code(code)
    return _answer(found, await customers.calendar())


@router.put(
    # Numbers of papers have slashes in them.
    "/by-external-id/{source}/{external_id:path}",
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
    calendar = await customers.calendar()
    return _answer(
        record, calendar, status=status.HTTP_201_CREATED if created else status.HTTP_200_OK
    )


@router.post(
    ":batch",
    operation_id="customers.putBatch",
    dependencies=[_WRITE],
)
async def put_customers(body: CustomerBatch, batches: BatchUpsertDep) -> CustomerBatchRead:
    """Create or change up to 1,000 customers whom other systems know by ids of their own.

    Each row is a `PUT` by its `source` and `external_id`. One that is refused says why, as it would
    alone, and leaves nothing; the others are kept. For more, and for files, there are imports.
    """
    return await batches.put(body.customers)


@router.get(
    "/{customer_id}",
    operation_id="customers.get",
    response_model=CustomerRead,
    dependencies=[_READ],
)
async def get_customer(customer_id: UUID, customers: CustomerServiceDep) -> Response:
    """Get a customer with their order figures and current consents.

    The id of a record that was merged leads to who stands for it: the answer has that one's `id`,
    and `Content-Location` names it.
    """
    found = await customers.get(customer_id)
    return _answer(found, await customers.calendar())


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
    return _answer(changed, await customers.calendar())


@router.get(
    "/{customer_id}/identities", operation_id="customers.listIdentities", dependencies=[_READ]
)
async def list_identities(customer_id: UUID, customers: CustomerServiceDep) -> IdentityList:
    """List what a customer can be recognised by: platform ids, addresses, numbers.

    Of a customer who is several records, those of all; `customer_id` says which has what.
    """
    identities = await customers.identities_of(customer_id)
    return IdentityList(data=[identity_json(row) for row in identities])


def _answer(
    record: CustomerRecord,
    calendar: Calendar,
    *,
    status: int = status.HTTP_200_OK,
    location: str | None = None,
) -> Response:
    # Whoever was asked for by an id or code of old, this is who stands for them.
    headers = {"etag": etag(record.version), "content-location": f"/v1/customers/{record.id}"}
    headers |= {"location": location} if location else {}
    return json_answer(customer_json(record.values(), calendar), status=status, headers=headers)
