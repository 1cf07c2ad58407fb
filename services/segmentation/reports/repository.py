"""SQL of this service's part in the care loop's report."""

from typing import Final

from sqlalchemy import Uuid, and_, bindparam, func, select

from services.segmentation.facts.models import order_fact, profile
from services.segmentation.membership.models import membership, membership_change
from services.segmentation.segments.models import segment
from shared.db.unit_of_work import UnitOfWork

_TENANT: Final = bindparam("tenant", type_=Uuid)
_SINGLE: Final = {
    "profiles": select(func.count()).where(
        profile.c.tenant_id == _TENANT, profile.c.version > 0, profile.c.active
    ),
    "orders_known": select(func.count())
    .select_from(order_fact)
    .where(order_fact.c.tenant_id == _TENANT),
    "segments": select(func.count()).where(
        segment.c.tenant_id == _TENANT, segment.c.deleted_at.is_(None)
    ),
    "entries": select(func.count()).where(
        membership_change.c.tenant_id == _TENANT, membership_change.c.change == "entered"
    ),
    "exits": select(func.count()).where(
        membership_change.c.tenant_id == _TENANT, membership_change.c.change == "left"
    ),
}
_COUNTS: Final = select(*(count.scalar_subquery().label(name) for name, count in _SINGLE.items()))
_MEMBERS: Final = (
    select(segment.c.key, func.count(membership.c.customer_id).label("members"))
    .select_from(
        segment.outerjoin(
            membership,
            and_(membership.c.tenant_id == _TENANT, membership.c.segment_id == segment.c.id),
        )
    )
    .where(segment.c.tenant_id == _TENANT, segment.c.deleted_at.is_(None))
    .group_by(segment.c.key)
    .order_by(segment.c.key)
)


class ReportRepository:
    """The figures of one tenant."""

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow

    async def care_loop_counts(self) -> dict[str, int]:
        """What is known, who moved, and how many belong to each segment (`members_<key>`)."""
        tenant = {"tenant": self._uow.tenant_id}
        counts = await self._uow.one(_COUNTS, tenant)
        members = await self._uow.rows(_MEMBERS, tenant)
        return {
            **{name: counts._mapping[name] for name in _SINGLE},
            **{f"members_{row.key}": row.members for row in members},
        }
