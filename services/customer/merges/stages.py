"""Whether somebody is a customer still when those have left who had bought."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row

from services.customer.merges.household import Household
from services.customer.merges.parting import Parting
from services.customer.merges.traces_repository import TraceRepository
from services.customer.orders.figures_repository import OrderFiguresRepository
from shared.db.unit_of_work import UnitOfWork


async def give_back_stages(
    uow: UnitOfWork,
    traces: TraceRepository,
    household: Household,
    parting: Parting,
    merges: Sequence[Row[*tuple[Any, ...]]],
) -> None:
    """Who was a lead when they were joined, and has only bought by those who leave, is again.

    What somebody has said by hand since then stays. The first of the merges is undone.
    """
    figures = await OrderFiguresRepository(uow).of_records(household.records)
    buyers = {record_id for record_id, known in figures.items() if known.ever_paid}
    if not buyers & household.leaving.keys():
        return
    joined, *standing = merges
    path = household.path_up(joined.survivor_id)
    for record_id, above in zip(path, [*path[1:], None], strict=True):
        stay = household.staying_with(record_id)
        remain_customers = any(
            parting.value(other, "stage") == "customer" for other in stay if other != record_id
        )
        if (
            joined.outcome.get("stage") == "lead"
            and parting.value(record_id, "stage") == "customer"
            and not (remain_customers or buyers & stay)
            and not await traces.was_set(record_id, "stage", since=joined.created_at)
        ):
            parting.change(record_id, "stage", "lead")
        if above is not None:
            joined = next(
                each
                for each in standing
                if each.survivor_id == above and str(record_id) in each.merged_ids
            )
