"""How the gateway's endpoints get what they work with."""

from typing import Annotated

from fastapi import Depends, FastAPI, Request

from gateway.access.tokens import AccessTokens
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
from gateway.reports.repository import CountRepository
from gateway.reports.service import CareLoopReports
from gateway.sessions.caller import CallerService
from gateway.sessions.repository import SessionRepository
from gateway.sessions.service import SessionService
from gateway.staff.repository import StaffRepository
from gateway.staff.service import StaffService
from gateway.tenants.provisioning import Provisioning
from gateway.tenants.repository import TenantRepository
from gateway.upstreams.headers import PRINCIPAL
from shared.web.problems import REQUEST_ID_HEADER
from shared.web.routing import PrincipalDep, UnitOfWorkDep


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
        directory=house.directory,
        passwords=house.passwords,
        tokens=house.tokens,
        life=house.session_life,
        guard=house.login_guard,
    )


async def caller_service(uow: UnitOfWorkDep, principal: PrincipalDep) -> CallerService:
    """Who the caller is."""
    return CallerService(
        principal=principal, tenants=TenantRepository(uow), staff=StaffRepository(uow)
    )


async def staff_service(
    house: HouseDep, uow: UnitOfWorkDep, principal: PrincipalDep
) -> StaffService:
    """The staff of the caller's shop."""
    return StaffService(
        uow=uow,
        principal=principal,
        staff=StaffRepository(uow),
        sessions=SessionRepository(uow),
        directory=house.directory,
        passwords=house.passwords,
    )


async def api_key_service(
    house: HouseDep, uow: UnitOfWorkDep, principal: PrincipalDep
) -> ApiKeyService:
    """The API keys of the caller's shop."""
    return ApiKeyService(
        uow=uow, principal=principal, api_keys=ApiKeyRepository(uow), keyring=house.keyring
    )


async def connection_service(house: HouseDep, uow: UnitOfWorkDep) -> ConnectionService:
    """The connections of the caller's shop."""
    return ConnectionService(
        uow=uow,
        connections=ConnectionRepository(uow),
        directory=house.directory,
        box=house.box,
        forget=house.hook_connections.forget,
    )


async def delivery_service(house: HouseDep, uow: UnitOfWorkDep) -> DeliveryService:
    """The deliveries to the caller's shop."""
    return DeliveryService(
        uow=uow,
        connections=ConnectionRepository(uow),
        deliveries=DeliveryRepository(uow),
        wake=house.delivery_waker.wake,
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
ApiKeyServiceDep = Annotated[ApiKeyService, Depends(api_key_service)]
ConnectionServiceDep = Annotated[ConnectionService, Depends(connection_service)]
AuditLogDep = Annotated[AuditLogRepository, Depends(audit_log)]
DeliveryServiceDep = Annotated[DeliveryService, Depends(delivery_service)]
PublicUrlDep = Annotated[str, Depends(public_url)]
ApiDocumentDep = Annotated[ApiDocument, Depends(api_document)]
CareLoopReportsDep = Annotated[CareLoopReports, Depends(care_loop_reports)]
AccessTokensDep = Annotated[AccessTokens, Depends(access_tokens)]
