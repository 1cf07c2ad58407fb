"""What commands inside one shop share: finding it, acting in it as the operator, saying no."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final, Self, TypeVar
from uuid import UUID

from pydantic import BaseModel, ValidationError

from cli.composition import settings_of
from cli.errors import OperatorError
from gateway.access.scopes import GRANTABLE
from gateway.directory.directory import Directory
from gateway.settings import GatewaySettings
from gateway.tenants.repository import TenantRepository
from shared.audit.trail import Actor
from shared.db.unit_of_work import UnitOfWork
from shared.errors import CareloopError, Unavailable
from shared.ids import TenantId, new_id
from shared.part.context import PartContext, build_context
from shared.security.principal import Principal, PrincipalKind

Model = TypeVar("Model", bound=BaseModel)
OPERATOR: Final = "operator"


class Refused(OperatorError):
    """What was asked for cannot be done; the sentence is the API's."""

    @classmethod
    def of(cls, error: CareloopError) -> Self:
        """As an error of the gateway has it."""
        return cls("; ".join([error.detail, *(fault.detail for fault in error.errors)]))


@asynccontextmanager
async def gateway_context() -> AsyncIterator[PartContext[GatewaySettings]]:
    """What a process of the gateway holds. Raises Refused in place of the gateway's errors."""
    settings = settings_of("gateway")
    assert isinstance(settings, GatewaySettings)  # noqa: S101  (whose they are)
    context = build_context(settings)
    try:
        yield context
    except Unavailable:
        raise
    except CareloopError as error:
        raise Refused.of(error) from error
    finally:
        await context.close()


@asynccontextmanager
async def in_shop(shop: str) -> AsyncIterator[tuple[PartContext[GatewaySettings], UnitOfWork]]:
    """A unit of work in a shop that is named by id or slug. Raises Refused."""
    async with gateway_context() as context:
        tenant_id = await _tenant(context, shop)
        async with context.units.begin(tenant_id) as uow:
            if await TenantRepository(uow).find() is None:
                raise Refused(f"There is no shop {shop}.")
            yield context, uow


async def _tenant(context: PartContext[GatewaySettings], shop: str) -> TenantId:
    try:
        return TenantId(UUID(shop))
    except ValueError:
        found = await Directory(context.units).find_one("shop", shop)
    if found is None:
        raise Refused(f"There is no shop {shop}.")
    return found


def checked(model: type[Model], **given: object) -> Model:
    """What was given, as the API would take it. Raises Refused."""
    try:
        return model.model_validate(given)
    except ValidationError as error:
        faults = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise Refused("; ".join(faults)) from error


def act_as_operator(uow: UnitOfWork, action: str) -> None:
    """Have the audit log name the operator and the command."""
    uow.act_for(Actor("system", OPERATOR, f"careloop {action}"))


def operator_of(uow: UnitOfWork) -> Principal:
    """The operator as a caller who may do everything in a shop."""
    kind = PrincipalKind.SYSTEM
    return Principal(uow.tenant_id, kind, OPERATOR, GRANTABLE, new_id().hex)
