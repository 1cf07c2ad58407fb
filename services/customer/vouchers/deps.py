"""How the endpoints of `vouchers` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.customers.repository import CustomerRepository
from services.customer.deps import AskedDep, owner_of
from services.customer.families.family import Families
from services.customer.vouchers.repository import VoucherRepository
from services.customer.vouchers.service import VoucherService
from shared.web.routing import PrincipalDep


async def voucher_service(asked: AskedDep, principal: PrincipalDep) -> VoucherService:
    """What clients can do with vouchers."""
    uow = asked.uow
    return VoucherService(
        uow=uow,
        vouchers=VoucherRepository(uow, sight=asked.sight),
        customers=CustomerRepository(uow, sight=asked.sight),
        families=Families(uow),
        actor_id=principal.actor_id,
        owner=owner_of(principal),
    )


VoucherServiceDep = Annotated[VoucherService, Depends(voucher_service)]
