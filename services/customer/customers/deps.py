"""How the endpoints of `customers` get what they call."""

from typing import Annotated

from fastapi import Depends, Request

from services.customer.colleagues.repository import ColleagueRepository
from services.customer.customers.batch import BatchUpsert
from services.customer.customers.calendar import Calendar
from services.customer.customers.filtering import field_questions, read_query
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.selection import Selection
from services.customer.customers.service import CustomerService
from services.customer.deps import Asked, AskedDep
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.fields.checking import FieldRules
from services.customer.following import pair_weighing
from services.customer.timeline.repository import TimelineRepository
from shared.pii import PII_READ


async def calendar(asked: AskedDep) -> Calendar:
    """What day it is in the shop."""
    return Calendar.of(await asked.shops.of(asked.uow), asked.uow.clock.now())


def selection_of(asked: Asked, request: Request) -> Selection:
    """Which customers a list is asked for."""
    parameters = request.query_params.multi_items()
    return Selection(
        asked.uow,
        given=read_query(parameters),
        questions=field_questions(parameters),
        sees_personal=PII_READ in asked.principal.scopes,
        known=asked.fields,
    )


async def customer_service(request: Request) -> CustomerService:
    """What clients can do with customers."""
    asked = Asked.by(request)
    uow, sight = asked.uow, asked.sight
    return CustomerService(
        uow=uow,
        customers=CustomerRepository(uow, sight=sight),
        identities=IdentityRepository(uow),
        duplicates=DuplicateRepository(uow),
        timeline=TimelineRepository(uow),
        colleagues=ColleagueRepository(uow),
        codes=asked.part.codes,
        shops=asked.shops,
        sight=sight,
        erased=asked.erased,
        rules=FieldRules(uow, sees_personal=PII_READ in asked.principal.scopes),
        weighing=pair_weighing(uow),
    )


async def batch_upsert(request: Request) -> BatchUpsert:
    """Many customers at once in this request."""
    customers = await customer_service(request)
    return BatchUpsert(uow=Asked.by(request).uow, customers=customers)


CalendarDep = Annotated[Calendar, Depends(calendar)]
CustomerServiceDep = Annotated[CustomerService, Depends(customer_service)]
BatchUpsertDep = Annotated[BatchUpsert, Depends(batch_upsert)]
