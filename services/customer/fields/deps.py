"""How the endpoints of `fields` get what they call."""

from typing import Annotated

from fastapi import Depends

from services.customer.deps import AskedDep
from services.customer.fields.repository import FieldRepository
from services.customer.fields.service import FieldService
from shared.jobs.endpoints import job_kinds
from shared.jobs.repository import JobRepository
from shared.jobs.work import JobKinds


async def field_service(
    asked: AskedDep, kinds: Annotated[JobKinds, Depends(job_kinds)]
) -> FieldService:
    """The fields of a shop."""
    return FieldService(
        uow=asked.uow,
        fields=FieldRepository(asked.uow, sight=asked.sight),
        known=asked.fields,
        shops=asked.shops,
        jobs=JobRepository(asked.uow, schema=asked.part.units.schema),
        kinds=kinds,
        principal=asked.principal,
    )


FieldServiceDep = Annotated[FieldService, Depends(field_service)]
