"""What the endpoints of every slice need of a request."""

from dataclasses import dataclass
from typing import Annotated, Self
from uuid import UUID

from fastapi import Depends, Request

from services.customer.erased.identities import ErasedIdentities, IdentityDigests
from services.customer.fields.known import KnownFields
from services.customer.tenants.shops import Shop, Shops
from shared.db.paging import SealedCursors
from shared.db.unit_of_work import UnitOfWork
from shared.part.context import PartContext
from shared.security.keys import SecretBox
from shared.security.principal import Principal, PrincipalKind
from shared.security.sight import Sight
from shared.settings import PartSettings
from shared.web.context import context_of
from shared.web.routing import PrincipalDep


@dataclass(frozen=True, slots=True)
class Asked:
    """What every request comes with; one look at the request instead of one for each of them.

    Providers have it as a dependency. Those of the hottest routes take the request themselves and
    look with `Asked.by`: each dependency below another one is solved anew for every request.
    """

    uow: UnitOfWork
    shops: Shops
    fields: KnownFields
    sight: Sight | None
    """Whose customers and tasks the caller sees; None for everybody's."""
    principal: Principal
    part: PartContext[PartSettings]

    @classmethod
    def by(cls, request: Request) -> Self:
        """The request's unit of work and what is known of the caller."""
        return cls(
            uow=request.state.unit_of_work,
            shops=request.app.state.shops,
            fields=request.app.state.fields,
            sight=Sight.of(request.state.principal),
            principal=request.state.principal,
            part=context_of(request),
        )

    @property
    def erased(self) -> ErasedIdentities:
        """What erased people were known by."""
        digests = IdentityDigests(self.part.settings.root_key)
        return ErasedIdentities(self.uow, digests=digests)

    @property
    def sealed_cursors(self) -> SealedCursors:
        """Cursors for callers who are not shown what a list is sorted by."""
        return SealedCursors(SecretBox(self.part.settings.root_key))


async def asked(request: Request) -> Asked:
    """What a request comes with."""
    return Asked.by(request)


AskedDep = Annotated[Asked, Depends(asked)]


async def current_shop(asked: AskedDep) -> Shop:
    """The caller's shop."""
    return await asked.shops.of(asked.uow)


async def current_staff_id(principal: PrincipalDep) -> UUID | None:
    """The member of staff who asks, if it is one."""
    return UUID(principal.actor_id) if principal.kind is PrincipalKind.STAFF else None


def owner_of(principal: Principal) -> UUID | None:
    """The shopper who asks, and sees nobody else; None for everybody else."""
    return principal.customer_id if principal.kind is PrincipalKind.SHOPPER else None


StaffIdDep = Annotated[UUID | None, Depends(current_staff_id)]
ShopDep = Annotated[Shop, Depends(current_shop)]
