"""The rules that are in force, checked once per process and change."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Row

from services.segmentation.facts.projection import FactGroup
from services.segmentation.rules import Rule, facts_used, parse_rule
from services.segmentation.rules.usage import timed_values
from services.segmentation.segments.repository import SegmentRepository
from services.segmentation.tenants.repository import Shop
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

MOST_SHOPS: Final = 1000
_FIGURES: Final[Mapping[str, FactGroup]] = {
    f"profile.{name}": group
    for group, names in {
        FactGroup.ORDERS: "orders_count paid_orders_count first_order_at last_order_at"
        " total_spent currency",
        FactGroup.TICKETS: "tickets_count open_tickets_count open_complaints_count last_csat"
        " last_csat_at last_ticket_at",
        FactGroup.MESSAGES: "messages_sent_count last_message_at",
    }.items()
    for name in names.split()
} | {"orders": FactGroup.ORDERS, "tickets": FactGroup.TICKETS, "messages": FactGroup.MESSAGES}


@dataclass(frozen=True, slots=True)
class ActiveSegment:
    """A segment that people enter and leave."""

    id: UUID
    key: str
    name: str
    rule: Rule
    rule_version: int
    uses: frozenset[FactGroup]
    timed: bool


EVERY_RULES: Final = frozenset(
    {FactGroup.BEING, FactGroup.REMOVED, FactGroup.MERGED, FactGroup.UNMERGED}
)
"""What concerns every rule."""


def groups_used(rule: Rule) -> frozenset[FactGroup]:
    """Which changes of facts can change what the rule says of a customer."""
    used = frozenset(_FIGURES.get(fact, FactGroup.PROFILE) for fact in facts_used(rule))
    return used | EVERY_RULES


def is_timed(rule: Rule) -> bool:
    """Whether time alone can change what the rule says of a customer."""
    return bool(timed_values(rule))


def segment_of(row: Row[*tuple[Any, ...]], *, locale: str) -> ActiveSegment:
    """The segment in a row of its table, called what the shop's language calls it."""
    rule = parse_rule(row.rule)
    return ActiveSegment(
        id=row.id,
        key=row.key,
        name=row.name[locale],
        rule=rule,
        rule_version=row.rule_version,
        uses=groups_used(rule),
        timed=is_timed(rule),
    )


def concerned(
    segments: Iterable[ActiveSegment], groups: frozenset[FactGroup]
) -> list[ActiveSegment]:
    """Those of the segments that look at such facts."""
    return [segment for segment in segments if segment.uses & groups]


class ActiveSegments:
    """The active segments of many shops, read again when a shop's rules have changed."""

    def __init__(self) -> None:
        self._known: dict[TenantId, tuple[int, tuple[ActiveSegment, ...]]] = {}

    async def of(self, uow: UnitOfWork, shop: Shop) -> tuple[ActiveSegment, ...]:
        """The active segments of the unit of work's shop, whose state is `shop`."""
        version, segments = self._known.get(uow.tenant_id, (None, ()))
        if version == shop.rules_version:
            return segments
        rows = await SegmentRepository(uow).active()
        segments = tuple(segment_of(row, locale=shop.locale) for row in rows)
        while len(self._known) >= MOST_SHOPS:
            del self._known[next(iter(self._known))]
        self._known[uow.tenant_id] = (shop.rules_version, segments)
        return segments
