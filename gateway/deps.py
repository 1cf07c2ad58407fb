"""How the gateway's endpoints get what they work with."""

from functools import partial
from typing import Annotated, Final
from uuid import UUID

from fastapi import Depends, FastAPI, Request

from gateway.access.identity import SESSION
from gateway.access.tokens import AccessTokens
from gateway.access.trail import Device
from gateway.api_keys.repository import ApiKeyRepository
from gateway.api_keys.service import ApiKeyService
from gateway.audit_log.repository import AuditLogRepository
from gateway.connections.repository import ConnectionRepository
from gateway.connections.service import ConnectionService
from gateway.deliveries.repository import DeliveryRepository
from gateway.deliveries.service import DeliveryService
from gateway.hooks.receiver import Receiver
from gateway.house import House
from gateway.openapi.document import ApiDocument
from gateway.outgoing import OutgoingDep
from gateway.password_resets.links import PasswordLinks
from gateway.password_resets.service import NewPasswords, PasswordResets
from gateway.reports.repository import CountRepository
from gateway.reports.service import CareLoopReports
from gateway.roles.repository import RoleRepository
from gateway.roles.service import RoleService
from gateway.second_factor.service import SecondFactorService
from gateway.sessions.caller import CallerService
from gateway.sessions.ending import SessionEnding
from gateway.sessions.errors import NotStaff
from gateway.sessions.overview import SessionOverview
from gateway.sessions.service import SessionService
from gateway.staff.appointing import Appointing
from gateway.staff.news import StaffNews
from gateway.staff.repository import StaffRepository
from gateway.staff.service import StaffService
from gateway.staff_policy.repository import StaffPolicyRepository
from gateway.staff_policy.service import StaffPolicyService
from gateway.teams.repository import TeamRepository
from gateway.teams.service import TeamService
from gateway.tenants.provisioning import Provisioning
from gateway.tenants.repository import TenantRepository
from gateway.upstreams.headers import PRINCIPAL
from shared.db.unit_of_work import UnitOfWork
from shared.security.principal import PrincipalKind
from shared.web.problems import REQUEST_ID_HEADER
from shared.web.routing import PrincipalDep, UnitOfWorkDep

_MOST_AGENT: Final = 200


def attach_house(app: FastAPI, house: House) -> None:
    """Give the application its collaborators."""
    app.state.house = house


async def house_of(request: Request) -> House:
    """The collaborators of the application that answers."""
    house: House = request.app.state.house
    return house


HouseDep = Annotated[House, Depends(house_of)]


async def provisioning(house: HouseDep) -> Provisioning:
    """Creates shops."""
    return Provisioning(
        units=house.context.units, directory=house.directory, passwords=house.passwords
    )


async def session_service(house: HouseDep) -> SessionService:
    """Logs staff in and out."""
    return SessionService(
        units=house.context.units,
        accounts=house.accounts,
        passwords=house.passwords,
        tokens=house.tokens,
        life=house.session_life,
        guard=house.login_guard,
        codes=house.code_verifier,
        live=house.live_sessions,
        background=house.background,
    )


async def device_of(request: Request) -> Device:
    """Where a request comes from; `request.client` is who asks, the door has seen to that."""
    agent = request.headers.get("user-agent", "")
    return Device(
        client_ip=(request.client.host or None) if request.client else None,
        user_agent="".join(c for c in agent if c.isprintable())[:_MOST_AGENT] or None,
        request_id=request.headers.get(REQUEST_ID_HEADER),
    )


async def own_staff_id(principal: PrincipalDep) -> UUID:
    """Which member of staff asks. Raises NotStaff."""
    if principal.kind is not PrincipalKind.STAFF:
        raise NotStaff
    return UUID(principal.actor_id)


async def current_session(request: Request) -> UUID | None:
    """The session that asks, as the door found it; None when none does."""
    found: UUID | None = request.scope.get(SESSION)
    return found


async def session_ending(house: HouseDep, uow: UnitOfWorkDep) -> SessionEnding:
    """Ends sessions of the caller's shop."""
    return SessionEnding(uow=uow, live=house.live_sessions)


async def appointing(uow: UnitOfWorkDep, principal: PrincipalDep) -> Appointing:
    """What the caller may do with members of staff."""
    return Appointing(principal=principal, staff=StaffRepository(uow))


async def session_overview(
    uow: UnitOfWorkDep,
    ending: Annotated[SessionEnding, Depends(session_ending)],
    touching: Annotated[Appointing, Depends(appointing)],
) -> SessionOverview:
    """The sessions of the caller's shop."""
    return SessionOverview(uow=uow, ending=ending, appointing=touching)


async def second_factor_service(
    house: HouseDep,
    uow: UnitOfWorkDep,
    ending: Annotated[SessionEnding, Depends(session_ending)],
    device: Annotated[Device, Depends(device_of)],
) -> SecondFactorService:
    """Second factors of the caller's shop."""
    return SecondFactorService(
        uow=uow,
        staff=StaffRepository(uow),
        passwords=house.passwords,
        box=house.box,
        verifier=house.code_verifier,
        sessions=ending,
        guesses=house.login_guard,
        device=device,
    )


async def shop_name(uow: UnitOfWorkDep) -> str:
    """What the caller's shop is called."""
    shop = await TenantRepository(uow).find()
    return shop.name if shop else "Careloop"


def _new_passwords(house: House, uow: UnitOfWork) -> NewPasswords:
    return NewPasswords(
        uow=uow,
        accounts=house.accounts,
        ending=SessionEnding(uow=uow, live=house.live_sessions),
        passwords=house.passwords,
        guard=house.login_guard,
    )


async def new_passwords(house: HouseDep, uow: UnitOfWorkDep) -> NewPasswords:
    """Gives members of the caller's shop new passwords."""
    return _new_passwords(house, uow)


async def password_resets(house: HouseDep) -> PasswordResets:
    """New passwords for who has no session."""
    return PasswordResets(
        units=house.context.units,
        accounts=house.accounts,
        making=house.link_making,
        background=house.background,
        guard=house.login_guard,
        renewing=partial(_new_passwords, house),
    )


async def staff_news(
    uow: UnitOfWorkDep, ending: Annotated[SessionEnding, Depends(session_ending)]
) -> StaffNews:
    """Tells what has changed about the staff of the caller's shop."""
    return StaffNews(uow=uow, sessions=ending)


async def role_service(
    uow: UnitOfWorkDep,
    principal: PrincipalDep,
    news: Annotated[StaffNews, Depends(staff_news)],
) -> RoleService:
    """The roles of the caller's shop."""
    return RoleService(uow=uow, principal=principal, roles=RoleRepository(uow), holders=news)


async def team_service(
    uow: UnitOfWorkDep,
    principal: PrincipalDep,
    touching: Annotated[Appointing, Depends(appointing)],
    news: Annotated[StaffNews, Depends(staff_news)],
) -> TeamService:
    """The teams of the caller's shop."""
    return TeamService(
        uow=uow,
        principal=principal,
        teams=TeamRepository(uow),
        appointing=touching,
        colleagues=news,
    )


async def staff_policy_service(
    uow: UnitOfWorkDep, news: Annotated[StaffNews, Depends(staff_news)]
) -> StaffPolicyService:
    """What the caller's shop has decided for its staff."""
    return StaffPolicyService(
        uow=uow,
        policies=StaffPolicyRepository(uow),
        roles=RoleRepository(uow),
        members=news,
    )


async def caller_service(uow: UnitOfWorkDep, principal: PrincipalDep) -> CallerService:
    """Who the caller is."""
    return CallerService(
        principal=principal, tenants=TenantRepository(uow), staff=StaffRepository(uow)
    )


async def staff_service(
    house: HouseDep,
    uow: UnitOfWorkDep,
    ending: Annotated[SessionEnding, Depends(session_ending)],
    touching: Annotated[Appointing, Depends(appointing)],
) -> StaffService:
    """The staff of the caller's shop."""
    return StaffService(
        uow=uow,
        appointing=touching,
        staff=StaffRepository(uow),
        roles=RoleRepository(uow),
        policies=StaffPolicyRepository(uow),
        sessions=ending,
        invitations=PasswordLinks(uow=uow, making=house.link_making),
        directory=house.directory,
        passwords=house.passwords,
    )


async def api_key_service(
    house: HouseDep, uow: UnitOfWorkDep, principal: PrincipalDep
) -> ApiKeyService:
    """The API keys of the caller's shop."""
    return ApiKeyService(
        uow=uow,
        principal=principal,
        api_keys=ApiKeyRepository(uow),
        forget=house.keyring.forget,
    )


async def connection_service(
    house: HouseDep, outgoing: OutgoingDep, uow: UnitOfWorkDep
) -> ConnectionService:
    """The connections of the caller's shop."""
    return ConnectionService(
        uow=uow,
        connections=ConnectionRepository(uow),
        directory=house.directory,
        box=house.box,
        guard=outgoing.guard,
        forget=house.hook_connections.forget,
    )


async def delivery_service(house: HouseDep, uow: UnitOfWorkDep) -> DeliveryService:
    """The deliveries to the caller's shop."""
    return DeliveryService(
        uow=uow,
        connections=ConnectionRepository(uow),
        deliveries=DeliveryRepository(uow),
        wake=house.delivery_waker.wake,
        wake_fetching=house.fetch_waker.wake,
    )


async def audit_log(uow: UnitOfWorkDep) -> AuditLogRepository:
    """The audit log of the caller's shop."""
    return AuditLogRepository(uow)


def receiver_of(request: Request) -> Receiver:
    """Takes deliveries in."""
    house: House = request.app.state.house
    return house.receiver


def attach_document(app: FastAPI, document: ApiDocument) -> None:
    """Give the application the description of the whole API."""
    app.state.api_document = document


async def api_document(request: Request) -> ApiDocument:
    """The description of the whole API."""
    document: ApiDocument = request.app.state.api_document
    return document


async def care_loop_reports(
    house: HouseDep, uow: UnitOfWorkDep, request: Request
) -> CareLoopReports:
    """Composes reports; the services are asked as the caller."""
    passed_on = (PRINCIPAL, REQUEST_ID_HEADER.encode())
    return CareLoopReports(
        clock=house.context.clock,
        own=CountRepository(uow),
        upstreams=house.upstreams,
        caller=[pair for pair in request.headers.raw if pair[0] in passed_on],
    )


async def public_url(house: HouseDep) -> str:
    """Where the outside reaches the gateway."""
    return house.context.settings.public_url.rstrip("/")


async def access_tokens(house: HouseDep) -> AccessTokens:
    """Issues access tokens."""
    return house.tokens


ProvisioningDep = Annotated[Provisioning, Depends(provisioning)]
CallerServiceDep = Annotated[CallerService, Depends(caller_service)]
SessionServiceDep = Annotated[SessionService, Depends(session_service)]
StaffServiceDep = Annotated[StaffService, Depends(staff_service)]
AppointingDep = Annotated[Appointing, Depends(appointing)]
DeviceDep = Annotated[Device, Depends(device_of)]
OwnStaffIdDep = Annotated[UUID, Depends(own_staff_id)]
CurrentSessionDep = Annotated[UUID | None, Depends(current_session)]
SessionOverviewDep = Annotated[SessionOverview, Depends(session_overview)]
SecondFactorServiceDep = Annotated[SecondFactorService, Depends(second_factor_service)]
ShopNameDep = Annotated[str, Depends(shop_name)]
NewPasswordsDep = Annotated[NewPasswords, Depends(new_passwords)]
PasswordResetsDep = Annotated[PasswordResets, Depends(password_resets)]
RoleServiceDep = Annotated[RoleService, Depends(role_service)]
TeamServiceDep = Annotated[TeamService, Depends(team_service)]
StaffPolicyServiceDep = Annotated[StaffPolicyService, Depends(staff_policy_service)]
ApiKeyServiceDep = Annotated[ApiKeyService, Depends(api_key_service)]
ConnectionServiceDep = Annotated[ConnectionService, Depends(connection_service)]
AuditLogDep = Annotated[AuditLogRepository, Depends(audit_log)]
DeliveryServiceDep = Annotated[DeliveryService, Depends(delivery_service)]
PublicUrlDep = Annotated[str, Depends(public_url)]
ApiDocumentDep = Annotated[ApiDocument, Depends(api_document)]
CareLoopReportsDep = Annotated[CareLoopReports, Depends(care_loop_reports)]
AccessTokensDep = Annotated[AccessTokens, Depends(access_tokens)]
