"""How the customer service is wired, for each request."""

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import Depends, Request

from services.customer.addresses.service import AddressService
from services.customer.addresses.units import units
from services.customer.appointments.calendars import CalendarService
from services.customer.appointments.repository import AppointmentRepository, CalendarRepository
from services.customer.appointments.service import AppointmentService
from services.customer.assignment.repository import AssignmentRepository
from services.customer.assignment.service import AssignmentService
from services.customer.care_statistics.repository import CareStatisticsRepository
from services.customer.care_statistics.service import CareStatisticsService
from services.customer.colleagues.repository import ColleagueRepository
from services.customer.consents.repository import ConsentRepository
from services.customer.consents.service import ConsentService
from services.customer.contacts.service import ContactService
from services.customer.customers.identity_repository import IdentityRepository
from services.customer.customers.lists import CustomerLists
from services.customer.customers.repository import CustomerRepository
from services.customer.customers.service import CustomerService
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.duplicates.service import DuplicateService
from services.customer.exports.service import ExportService
from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.following import order_followers
from services.customer.interactions.repository import InteractionRepository
from services.customer.interactions.service import InteractionService
from services.customer.lead_forms.links import FormLinks
from services.customer.lead_forms.repository import LeadFormRepository
from services.customer.lead_forms.service import LeadFormService
from services.customer.leads.capture import LeadCapture
from services.customer.leads.form_tokens import FormTokens
from services.customer.leads.intake import LeadIntake
from services.customer.leads.repository import LeadRepository
from services.customer.leads.service import LeadService
from services.customer.leads.submission_repository import SubmissionRepository
from services.customer.loyalty.accounts import AccountService
from services.customer.loyalty.ledger_repository import LedgerRepository
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.loyalty.service import ProgrammeService
from services.customer.notes.repository import NoteRepository
from services.customer.notes.service import NoteService
from services.customer.orders.repository import OrderRepository
from services.customer.orders.service import OrderService
from services.customer.reassignments.service import ReassignmentService
from services.customer.referrals.repository import ReferralRepository
from services.customer.referrals.service import ReferralService
from services.customer.reports.repository import CountRepository
from services.customer.tasks.repository import TaskRepository
from services.customer.tasks.service import TaskService
from services.customer.tenants.shops import Shop, Shops
from services.customer.timeline.repository import TimelineRepository
from services.customer.timeline.service import TimelineService
from services.customer.touches.repository import TouchRepository
from services.customer.touches.service import TouchService
from services.customer.vouchers.repository import VoucherRepository
from services.customer.vouchers.service import VoucherService
from shared.db.unit_of_work import UnitOfWork
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds
from shared.part.context import PartContext
from shared.security.principal import Principal, PrincipalKind
from shared.security.sight import Sight
from shared.settings import PartSettings
from shared.web.context import context_of
from shared.web.routing import PrincipalDep


@dataclass(frozen=True, slots=True)
class Asked:
    """What every request comes with; one look at the request instead of one for each of them."""

    uow: UnitOfWork
    shops: Shops
    sight: Sight | None
    """Whose customers and tasks the caller sees; None for everybody's."""
    part: PartContext[PartSettings]


async def asked(request: Request) -> Asked:
    """The request's unit of work and what is known of the caller."""
    return Asked(
        uow=request.state.unit_of_work,
        shops=request.app.state.shops,
        sight=Sight.of(request.state.principal),
        part=context_of(request),
    )


AskedDep = Annotated[Asked, Depends(asked)]


async def current_shop(asked: AskedDep) -> Shop:
    """The caller's shop."""
    return await asked.shops.of(asked.uow)


async def current_staff_id(principal: PrincipalDep) -> UUID | None:
    """The member of staff who asks, if it is one."""
    return UUID(principal.actor_id) if principal.kind is PrincipalKind.STAFF else None


async def customer_lists(asked: AskedDep) -> CustomerLists:
    """Lists of customers."""
    return CustomerLists(asked.uow, sight=asked.sight)


async def customer_service(asked: AskedDep) -> CustomerService:
    """What clients can do with customers."""
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
    )


async def address_service(asked: AskedDep) -> AddressService:
    """What clients can do with addresses."""
    return AddressService(uow=asked.uow, units=units(), sight=asked.sight)


async def contact_service(asked: AskedDep) -> ContactService:
    """What clients can do with contact persons."""
    return ContactService(uow=asked.uow, shops=asked.shops, sight=asked.sight)


async def export_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ExportService:
    """Files of customers."""
    jobs = JobRepository(asked.uow, schema=asked.part.units.schema)
    return ExportService(asked.uow, jobs=jobs, kinds=kinds)


async def order_service(asked: AskedDep) -> OrderService:
    """What clients can do with orders."""
    uow, sight = asked.uow, asked.sight
    return OrderService(
        uow=uow,
        orders=OrderRepository(uow),
        customers=CustomerRepository(uow, sight=sight),
        timeline=TimelineRepository(uow),
        shops=asked.shops,
        sight=sight,
        followers=order_followers(uow),
    )


async def consent_service(asked: AskedDep) -> ConsentService:
    """What clients can do with consents."""
    uow, sight = asked.uow, asked.sight
    return ConsentService(
        uow=uow,
        consents=ConsentRepository(uow),
        customers=CustomerRepository(uow, sight=sight),
        sight=sight,
    )


async def duplicate_service(asked: AskedDep) -> DuplicateService:
    """What clients can do with duplicate candidates."""
    return DuplicateService(duplicates=DuplicateRepository(asked.uow, sight=asked.sight))


async def timeline_service(asked: AskedDep) -> TimelineService:
    """What clients can do with timelines."""
    return TimelineService(timeline=TimelineRepository(asked.uow), sight=asked.sight)


async def task_service(asked: AskedDep) -> TaskService:
    """What clients can do with tasks."""
    uow, sight = asked.uow, asked.sight
    return TaskService(
        uow=uow,
        tasks=TaskRepository(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        families=Families(uow),
        timeline=TimelineRepository(uow),
    )


async def form_links(asked: AskedDep) -> FormLinks:
    """The addresses of the shop's forms."""
    settings = asked.part.settings
    return FormLinks(
        root_key=settings.root_key,
        public_url=settings.public_url,
        tenant_id=asked.uow.tenant_id,
    )


async def form_tokens(asked: AskedDep) -> FormTokens:
    """The tokens in the pages of the shop's forms."""
    return FormTokens(root_key=asked.part.settings.root_key, tenant_id=asked.uow.tenant_id)


async def lead_form_service(asked: AskedDep) -> LeadFormService:
    """What clients can do with lead forms."""
    return LeadFormService(uow=asked.uow, forms=LeadFormRepository(asked.uow))


async def lead_capture(
    asked: AskedDep, links: Annotated[FormLinks, Depends(form_links)]
) -> LeadCapture:
    """Makes leads."""
    shop = await asked.shops.of(asked.uow)
    return LeadCapture(uow=asked.uow, codes=asked.part.codes, shop=shop, links=links)


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


async def touch_service(asked: AskedDep) -> TouchService:
    """What clients can do with touches."""
    uow = asked.uow
    return TouchService(
        uow=uow,
        touches=TouchRepository(uow),
        customers=CustomerRepository(uow, sight=asked.sight),
        families=Families(uow),
    )


async def programme_service(
    asked: AskedDep, shop: Annotated[Shop, Depends(current_shop)]
) -> ProgrammeService:
    """What a shop can decide about its loyalty programme."""
    return ProgrammeService(uow=asked.uow, loyalty=LoyaltyRepository(asked.uow), shop=shop)


async def account_service(asked: AskedDep, principal: PrincipalDep) -> AccountService:
    """What clients can do with points."""
    uow = asked.uow
    return AccountService(
        uow=uow,
        loyalty=LoyaltyRepository(uow),
        ledger=LedgerRepository(uow),
        customers=CustomerRepository(uow, sight=asked.sight),
        families=Families(uow),
        actor_id=principal.actor_id,
        owner=owner_of(principal),
    )


async def voucher_service(asked: AskedDep, principal: PrincipalDep) -> VoucherService:
    """What clients can do with vouchers."""
    uow = asked.uow
    return VoucherService(
        uow=uow,
        vouchers=VoucherRepository(uow),
        customers=CustomerRepository(uow, sight=asked.sight),
        families=Families(uow),
        actor_id=principal.actor_id,
        owner=owner_of(principal),
    )


async def referral_service(asked: AskedDep, principal: PrincipalDep) -> ReferralService:
    """What clients can do with referrals."""
    uow, sight = asked.uow, asked.sight
    return ReferralService(
        uow=uow,
        referrals=ReferralRepository(uow, sight=sight),
        customers=CustomerRepository(uow, sight=sight),
        families=Families(uow),
        orders=OrderRepository(uow),
        owner=owner_of(principal),
    )


def owner_of(principal: Principal) -> UUID | None:
    """The shopper who asks, and sees nobody else; None for everybody else."""
    return principal.customer_id if principal.kind is PrincipalKind.SHOPPER else None


async def interaction_service(asked: AskedDep) -> InteractionService:
    """What clients can do with interactions."""
    uow, sight = asked.uow, asked.sight
    return InteractionService(
        uow=uow,
        interactions=InteractionRepository(uow, sight=sight),
        people=SeenPeople(uow, sight=sight),
        colleagues=ColleagueRepository(uow),
        timeline=TimelineRepository(uow),
    )


async def note_service(asked: AskedDep) -> NoteService:
    """What clients can do with notes."""
    uow, sight = asked.uow, asked.sight
    return NoteService(
        uow=uow,
        notes=NoteRepository(uow),
        people=SeenPeople(uow, sight=sight),
        timeline=TimelineRepository(uow),
    )


async def appointment_service(asked: AskedDep) -> AppointmentService:
    """What clients can do with appointments."""
    uow, sight = asked.uow, asked.sight
    return AppointmentService(
        uow=uow,
        appointments=AppointmentRepository(uow, sight=sight),
        people=SeenPeople(uow, sight=sight),
        timeline=TimelineRepository(uow),
    )


async def calendar_service(asked: AskedDep) -> CalendarService:
    """The calendars of staff."""
    return CalendarService(
        uow=asked.uow,
        calendars=CalendarRepository(asked.uow),
        colleagues=ColleagueRepository(asked.uow),
        sight=asked.sight,
        public_url=asked.part.settings.public_url,
    )


async def assignment_service(asked: AskedDep) -> AssignmentService:
    """The rules by which customers find their staff."""
    rules = AssignmentRepository(asked.uow)
    return AssignmentService(uow=asked.uow, rules=rules, shops=asked.shops)


async def reassignment_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> ReassignmentService:
    """Giving many customers to other staff."""
    return ReassignmentService(
        asked.uow,
        rules=AssignmentRepository(asked.uow),
        people=SeenPeople(asked.uow, sight=asked.sight),
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        sight=asked.sight,
    )


async def care_statistics_service(asked: AskedDep) -> CareStatisticsService:
    """What staff did for customers."""
    statistics = CareStatisticsRepository(asked.uow, sight=asked.sight)
    return CareStatisticsService(uow=asked.uow, statistics=statistics, shops=asked.shops)


async def count_repository(asked: AskedDep) -> CountRepository:
    """How many of everything there are."""
    return CountRepository(asked.uow)


StaffIdDep = Annotated[UUID | None, Depends(current_staff_id)]
ShopDep = Annotated[Shop, Depends(current_shop)]
AddressServiceDep = Annotated[AddressService, Depends(address_service)]
ContactServiceDep = Annotated[ContactService, Depends(contact_service)]
CustomerListsDep = Annotated[CustomerLists, Depends(customer_lists)]
CustomerServiceDep = Annotated[CustomerService, Depends(customer_service)]
OrderServiceDep = Annotated[OrderService, Depends(order_service)]
ConsentServiceDep = Annotated[ConsentService, Depends(consent_service)]
DuplicateServiceDep = Annotated[DuplicateService, Depends(duplicate_service)]
TimelineServiceDep = Annotated[TimelineService, Depends(timeline_service)]
TaskServiceDep = Annotated[TaskService, Depends(task_service)]
FormLinksDep = Annotated[FormLinks, Depends(form_links)]
FormTokensDep = Annotated[FormTokens, Depends(form_tokens)]
LeadFormServiceDep = Annotated[LeadFormService, Depends(lead_form_service)]
LeadIntakeDep = Annotated[LeadIntake, Depends(lead_intake)]
LeadServiceDep = Annotated[LeadService, Depends(lead_service)]
TouchServiceDep = Annotated[TouchService, Depends(touch_service)]
ProgrammeServiceDep = Annotated[ProgrammeService, Depends(programme_service)]
VoucherServiceDep = Annotated[VoucherService, Depends(voucher_service)]
ReferralServiceDep = Annotated[ReferralService, Depends(referral_service)]
AccountServiceDep = Annotated[AccountService, Depends(account_service)]
CountsDep = Annotated[CountRepository, Depends(count_repository)]
ExportServiceDep = Annotated[ExportService, Depends(export_service)]
InteractionServiceDep = Annotated[InteractionService, Depends(interaction_service)]
NoteServiceDep = Annotated[NoteService, Depends(note_service)]
AppointmentServiceDep = Annotated[AppointmentService, Depends(appointment_service)]
CalendarServiceDep = Annotated[CalendarService, Depends(calendar_service)]
AssignmentServiceDep = Annotated[AssignmentService, Depends(assignment_service)]
ReassignmentServiceDep = Annotated[ReassignmentService, Depends(reassignment_service)]
CareStatisticsDep = Annotated[CareStatisticsService, Depends(care_statistics_service)]
