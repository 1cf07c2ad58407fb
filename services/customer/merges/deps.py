"""How the endpoints of `merges` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.addresses.first import FirstAddresses
from services.customer.addresses.units import units
from services.customer.customers.repository import CustomerRepository
from services.customer.deps import Asked, AskedDep
from services.customer.duplicates.candidate_repository import CandidateRepository
from services.customer.duplicates.repository import DuplicateRepository
from services.customer.families.family import Families
from services.customer.families.seen import SeenPeople
from services.customer.following import pair_weighing
from services.customer.merges.duplicate_service import DuplicateService
from services.customer.merges.repository import MergeRepository
from services.customer.merges.service import MergeService
from services.customer.merges.traces_repository import TraceRepository
from services.customer.merges.undoing import Undoing
from shared.security.principal import Principal
from shared.web.routing import PrincipalDep


def _merging(asked: Asked, principal: Principal) -> MergeService:
    return MergeService(
        uow=asked.uow,
        merges=MergeRepository(asked.uow, sight=asked.sight),
        traces=TraceRepository(asked.uow),
        families=Families(asked.uow),
        duplicates=DuplicateRepository(asked.uow),
        people=SeenPeople(asked.uow, sight=asked.sight),
        shops=asked.shops,
        weighing=pair_weighing(asked.uow),
        sight=asked.sight,
        actor=principal,
    )


async def merge_service(asked: AskedDep, principal: PrincipalDep) -> MergeService:
    """What clients can do with merges."""
    return _merging(asked, principal)


async def undoing(asked: AskedDep, principal: PrincipalDep) -> Undoing:
    """Taking merges back."""
    return Undoing(
        uow=asked.uow,
        merges=MergeRepository(asked.uow, sight=asked.sight),
        traces=TraceRepository(asked.uow),
        families=Families(asked.uow),
        customers=CustomerRepository(asked.uow),
        duplicates=DuplicateRepository(asked.uow),
        shops=asked.shops,
        weighing=pair_weighing(asked.uow),
        addresses=FirstAddresses(uow=asked.uow, units=units()),
        sight=asked.sight,
        actor=principal,
    )


async def duplicate_service(asked: AskedDep, principal: PrincipalDep) -> DuplicateService:
    """What clients can do with duplicate candidates."""
    return DuplicateService(
        candidates=CandidateRepository(asked.uow, sight=asked.sight),
        duplicates=DuplicateRepository(asked.uow),
        families=Families(asked.uow),
        people=SeenPeople(asked.uow, sight=asked.sight),
        merging=_merging(asked, principal),
    )


MergeServiceDep = Annotated[MergeService, Depends(merge_service)]
UndoingDep = Annotated[Undoing, Depends(undoing)]
DuplicateServiceDep = Annotated[DuplicateService, Depends(duplicate_service)]
