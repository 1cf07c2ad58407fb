"""The reward for a friend: with their first paid order, in the unit of work that takes it."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from sqlalchemy import Row

from services.customer.families.family import Families
from services.customer.loyalty.earning import Earning, Reward, kept_minor
from services.customer.loyalty.repository import LoyaltyRepository
from services.customer.orders.figures_repository import OrderFiguresRepository
from services.customer.orders.news import OrderChange
from services.customer.orders.record import OrderRecord
from services.customer.referrals.repository import ReferralRepository
from shared.contracts.loyalty import ReferralRewarded, ReferralState
from shared.db.unit_of_work import UnitOfWork


class OrderEarning:
    """Follows orders: points come with what is paid, and go with what is given back.

    A friend's first paid order brings points to both; they go with it, too, also when it turns out
    to be somebody else's.
    """

    def __init__(self, uow: UnitOfWork) -> None:
        self._uow = uow
        self._families = Families(uow)
        self._referrals = ReferralRepository(uow)
        self._figures = OrderFiguresRepository(uow)
        self._loyalty = LoyaltyRepository(uow)
        self._earning = Earning(uow)

    async def follow(self, changes: Sequence[OrderChange]) -> None:
        """What orders earn, for whoever earns by them."""
        if not await self._referrals.anything_is_earned():
            return
        await self._earning.by_orders(
            changes, await self._rewards(changes), standing=self._standing
        )

    async def _standing(
        self, given: Mapping[str, OrderRecord], members: Mapping[UUID, UUID]
    ) -> set[str]:
        """Which rewards still are for an order of the friend's; the others' friends are waited for.

        Each is known by its cause, and given with its order.
        """
        rows = await self._referrals.of_ids({_referral_id(cause) for cause in given})
        found = {row.id: row for row in rows if row.status == "rewarded"}
        standing, lost = set(), {}
        for cause, order in given.items():
            row = found.get(_referral_id(cause))
            if row is None or row.order_id != order.id:
                continue
            if members.get(row.friend_id) == members[order.customer_id]:
                standing.add(cause)
            else:
                lost[row.id] = order.id
        for referral_id in sorted(lost):
            await self._referrals.wait_again(referral_id, not_for=lost[referral_id])
        return standing

    async def _rewards(self, changes: Sequence[OrderChange]) -> list[Reward]:
        """The rewards of orders that somebody has paid just now, each referral decided once."""
        paid = [c.after for c in changes if _is_paid_now(c)]
        if not paid:
            return []
        programme = await self._referrals.find_programme()
        if programme is None or not programme.active:
            return []
        members = await self._families.of_all({order.customer_id for order in paid})
        pending = await self._referrals.lock_pending(members.keys())
        loyalty = await self._loyalty.find_programme() if pending else None
        if loyalty is None or not loyalty.active:
            return []
        rewarded = {
            members[row.friend_id]
            for row in await self._referrals.of_friends(members.keys())
            if row.status == "rewarded"
        }
        since = await self._ordering_since(members)
        rewards: list[Reward] = []
        for row in pending:
            root = members[row.friend_id]
            reason = await self._reason_against(row, since[root], had_one=root in rewarded)
            if reason is not None:
                await self._referrals.decide(row.id, {"status": "void", "reason": reason})
                continue
            rewarded.add(root)
            order = min(
                (order for order in paid if members[order.customer_id] == root),
                key=lambda order: (order.placed_at, order.id),
            )
            points = {
                "referrer_points": programme.referrer_points,
                "friend_points": programme.friend_points,
            }
            await self._referrals.decide(
                row.id, {"status": "rewarded", "order_id": order.id, **points}
            )
            await self._tell(row, order, points)
            rewards += _rewards_of(row, order, programme)
        return rewards

    async def _tell(
        self, row: Row[*tuple[Any, ...]], order: OrderRecord, points: Mapping[str, int]
    ) -> None:
        roots = await self._families.roots([row.referrer_id, row.friend_id])
        state = ReferralState(
            referral_id=row.id,
            code=row.code,
            referrer_id=roots[row.referrer_id],
            friend_id=roots[row.friend_id],
            order_id=order.id,
            rewarded_at=self._uow.clock.now(),
            **points,
        )
        self._uow.append(ReferralRewarded(referral=state), key=state.referrer_id)

    async def _ordering_since(self, members: Mapping[UUID, UUID]) -> dict[UUID, datetime]:
        """When each family has ordered first."""
        since: dict[UUID, datetime] = {}
        for customer_id, figures in (await self._figures.of_records(members.keys())).items():
            root, first = members[customer_id], figures.first_order_at
            if first is not None:
                since[root] = min(first, since.get(root, first))
        return since

    async def _reason_against(
        self, row: Row[*tuple[Any, ...]], since: datetime, *, had_one: bool
    ) -> Literal["same_person", "not_new"] | None:
        """Why nothing is given after all: of late they may have turned out to be somebody else."""
        if await is_same_person(self._families, self._referrals, row.referrer_id, row.friend_id):
            return "same_person"
        return "not_new" if had_one or since < row.created_at else None


def _rewards_of(
    row: Row[*tuple[Any, ...]], order: OrderRecord, programme: Row[*tuple[Any, ...]]
) -> list[Reward]:
    both = (
        (row.referrer_id, "referrer", programme.referrer_points),
        (row.friend_id, "friend", programme.friend_points),
    )
    return [
        Reward(
            customer_id=customer_id,
            cause=f"referral:{row.id}:{who}:{order.id}",
            points=points,
            order_id=order.id,
        )
        for customer_id, who, points in both
        if points
    ]


def _referral_id(cause: str) -> UUID:
    return UUID(cause.split(":")[1])


async def is_same_person(
    families: Families, referrals: ReferralRepository, one_id: UUID, other_id: UUID
) -> bool:
    """Whether two records are one person's: merged, or known by one number or address."""
    members = await families.of_all([one_id, other_id])
    if members[one_id] == members[other_id]:
        return True
    own = [member for member, root in members.items() if root == members[one_id]]
    others = [member for member in members if member not in own]
    return await referrals.share_an_identity(own, others)


def _is_paid_now(change: OrderChange) -> bool:
    before, after = change.before, change.after
    was_paid = before is not None and kept_minor(before) > 0
    was_theirs = before is not None and before.customer_id == after.customer_id
    return kept_minor(after) > 0 and not (was_paid and was_theirs)
