"""The house's lists without HTTP: one unit of work per page, as the customer service's own role.

Behind the wall between tenants, in a transaction, with every statement that the page needs.
"""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Self
from uuid import UUID

from starlette.datastructures import QueryParams

from bench.load import Result
from bench.stage import Stage
from services.customer.customers.filtering import (
    CustomerConditions,
    FieldQuestions,
    field_questions,
    read_query,
)
from services.customer.customers.list_query import ListQuery
from services.customer.customers.lists import WALKED_AT_MOST, CustomerLists
from services.customer.customers.selection import Selection
from services.customer.fields.known import KnownFields
from shared.clock import SystemClock
from shared.db.engine import create_engine
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork, UnitsOfWork
from shared.ids import TenantId
from shared.settings import part_database_url


class Reader:
    """Asks the lists of one tenant."""

    def __init__(self, units: UnitsOfWork, tenant_id: UUID) -> None:
        self._units = units
        self._tenant_id = TenantId(tenant_id)

    async def ask(self, query: str, *, seconds: float) -> Result:
        """Pages of 50 for a query of the API, one after the other."""
        asked = _Asked.read(QueryParams(query.lstrip("&")))
        latencies: list[float] = []
        started = time.perf_counter()
        while (sent := time.perf_counter()) < started + seconds or len(latencies) < 3:
            async with self._units.begin(self._tenant_id, reads_only=True) as uow:
                await asked.page(uow)
                await uow.commit()
            latencies.append(time.perf_counter() - sent)
        return Result(len(latencies), time.perf_counter() - started, latencies, 0)


@asynccontextmanager
async def open_reader(stage: Stage, tenant_id: UUID) -> AsyncIterator[Reader]:
    """A reader with a connection of its own."""
    address = part_database_url(
        "customer",
        admin_url=stage.installation.environment["DATABASE_URL"],
        root_key=stage.installation.root_key,
    )
    engine = create_engine(address, pool_size=1, application="careloop-bench")
    units = UnitsOfWork(engine=engine, schema="customer", clock=SystemClock(), keep_connections=1)
    try:
        yield Reader(units, tenant_id)
    finally:
        await units.close()


@dataclass(frozen=True, slots=True)
class _Asked:
    """A query of the API as it was read, which is the request's part of the work."""

    given: ListQuery
    conditions: CustomerConditions
    questions: FieldQuestions
    known: KnownFields

    @classmethod
    def read(cls, query: QueryParams) -> Self:
        parameters = query.multi_items()
        given = ListQuery.model_validate(dict(query.items()))
        return cls(given, read_query(parameters), field_questions(parameters), KnownFields())

    async def page(self, uow: UnitOfWork) -> None:
        selection = Selection(
            uow,
            given=self.conditions,
            questions=self.questions,
            sees_personal=True,
            known=self.known,
        )
        wanted = await selection.wanted(currency="VND")
        order = await selection.sort(self.given.sort)
        search = self.given.search(region="VN", contacts=True)
        request = PageRequest(50, None)
        lists = CustomerLists(uow)
        await lists.page(search, wanted, request, sort=order, walk=WALKED_AT_MOST)
