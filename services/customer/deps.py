"""How the customer service is wired, for each request."""

from typing import Annotated, cast
from uuid import UUID

from fastapi import Depends, Request

from services.customer.colleagues.repository import ColleagueRepository
from services.customer.consents.repository import ConsentRepository
from services.customer.consents.service import ConsentService
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.customers.lists import CustomerLists
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.service import CustomerService
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.service import DuplicateService
from services.customer.exports.service import ExportService
from services.customer.orders.repository import OrderRepository
from services.customer.orders.service import OrderService
from services.customer.reports.repository import CountRepository
from services.customer.tasks.repository import TaskRepository
from services.customer.tasks.service import TaskService
from services.customer.tenants.shops import Shop, Shops
from services.customer.timeline.repository import TimelineRepository
from services.customer.timeline.service import TimelineService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds
from shared.security.principal import PrincipalKind
from shared.security.sight import Sight
from shared.web.context import context_of
from shared.web.routing import PrincipalDep, UnitOfWorkDep


async def current_shops(request: Request) -> Shops:
    """The shops that this process remembers."""
    return cast("Shops", request.app.state.shops)


ShopsDep = Annotated[Shops, Depends(current_shops)]


async def current_shop(uow: UnitOfWorkDep, shops: ShopsDep) -> Shop:
    """The caller's shop."""
    return await shops.of(uow)


async def current_sight(principal: PrincipalDep) -> Sight | None:
    """Whose customers and tasks the caller sees; None for everybody's."""
    return Sight.of(principal)


SightDep = Annotated[Sight | None, Depends(current_sight)]


async def current_staff_id(principal: PrincipalDep) -> UUID | None:
    """The member of staff who asks, if it is one."""
    return UUID(principal.actor_id) if principal.kind is PrincipalKind.STAFF else None


async def customer_lists(uow: UnitOfWorkDep, sight: SightDep) -> CustomerLists:
    """Lists of customers."""
    return CustomerLists(uow, sight=sight)


async def customer_service(
    uow: UnitOfWorkDep, request: Request, shops: ShopsDep, sight: SightDep
) -> CustomerService:
    """What clients can do with customers."""
    return CustomerService(
        uow=uow,
        customers=CustomerRepository(uow, sight=sight),
        identities=IdentityRepository(uow),
        duplicates=DuplicateRepository(uow),
        timeline=TimelineRepository(uow),
        colleagues=ColleagueRepository(uow),
        codes=context_of(request).codes,
        shops=shops,
        sight=sight,
    )


async def export_service(
    uow: UnitOfWorkDep, request: Request, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ExportService:
    """Files of customers."""
    jobs = JobRepository(uow, schema=context_of(request).units.schema)
    return ExportService(uow, jobs=jobs, kinds=kinds)


async def order_service(uow: UnitOfWorkDep, shops: ShopsDep, sight: SightDep) -> OrderService:
    """What clients can do with orders."""
    return OrderService(
        uow=uow,
        orders=OrderRepository(uow),
        customers=CustomerRepository(uow, sight=sight),
        timeline=TimelineRepository(uow),
        shops=shops,
        sight=sight,
    )


async def consent_service(uow: UnitOfWorkDep, sight: SightDep) -> ConsentService:
    """What clients can do with consents."""
    return ConsentService(
        uow=uow,
        consents=ConsentRepository(uow),
        customers=CustomerRepository(uow, sight=sight),
        sight=sight,
    )


async def duplicate_service(uow: UnitOfWorkDep, sight: SightDep) -> DuplicateService:
    """What clients can do with duplicate candidates."""
    return DuplicateService(duplicates=DuplicateRepository(uow, sight=sight))


async def timeline_service(uow: UnitOfWorkDep, sight: SightDep) -> TimelineService:
    """What clients can do with timelines."""
    return TimelineService(timeline=TimelineRepository(uow), sight=sight)


async def task_service(uow: UnitOfWorkDep, sight: SightDep) -> TaskService:
    """What clients can do with tasks."""
    return TaskService(
        uow=uow,
        tasks=TaskRepository(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        timeline=TimelineRepository(uow),
    )


async def count_repository(uow: UnitOfWorkDep) -> CountRepository:
    """How many of everything there are."""
    return CountRepository(uow)


StaffIdDep = Annotated[UUID | None, Depends(current_staff_id)]
ShopDep = Annotated[Shop, Depends(current_shop)]
CustomerListsDep = Annotated[CustomerLists, Depends(customer_lists)]
CustomerServiceDep = Annotated[CustomerService, Depends(customer_service)]
OrderServiceDep = Annotated[OrderService, Depends(order_service)]
ConsentServiceDep = Annotated[ConsentService, Depends(consent_service)]
DuplicateServiceDep = Annotated[DuplicateService, Depends(duplicate_service)]
TimelineServiceDep = Annotated[TimelineService, Depends(timeline_service)]
TaskServiceDep = Annotated[TaskService, Depends(task_service)]
CountsDep = Annotated[CountRepository, Depends(count_repository)]
ExportServiceDep = Annotated[ExportService, Depends(export_service)]
