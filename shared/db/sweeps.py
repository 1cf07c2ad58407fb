"""Doing something for every tenant that has it to be done."""

from collections.abc import Awaitable, Callable, Iterable
from typing import Final

import structlog

from shared.db.failures import is_conflict, is_outage
from shared.db.unit_of_work import UnitsOfWork
from shared.ids import TenantId

_log = structlog.get_logger(__name__)
_ENOUGH_OUTAGES: Final = 3
Work = Callable[[TenantId], Awaitable[object]]


async def in_every_tenant(units: UnitsOfWork, listing: str, work: Work) -> None:
    """Do `work` for each tenant that the function `listing` of the part's schema names."""
    await for_each_tenant(await units.tenants(listing), work, what=listing)


async def for_each_tenant(tenants: Iterable[TenantId], work: Work, *, what: str) -> None:
    """Do `work` for each; one's trouble is not the next one's; the next sweep is the retry.

    Raises what it met when the server is away for several tenants in a row: it is for the others.
    """
    outages = 0
    for tenant_id in tenants:
        try:
            await work(tenant_id)
            outages = 0
        except Exception as error:
            if is_outage(error) or is_conflict(error):
                outages += is_outage(error)
                if outages == _ENOUGH_OUTAGES:
                    raise
                _log.warning(
                    "sweep_interrupted", tenant=tenant_id.hex, what=what, error=repr(error)[:300]
                )
            else:
                _log.exception("sweep_failed", tenant=tenant_id.hex, what=what)
