"""Why a customer belongs to a segment, or why not."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import UUID

from services.segmentation.facts.reading import find_customer_facts
from services.segmentation.membership.queries import MembershipQueries
from services.segmentation.membership.schemas import (
    ExplanationNode,
    ExplanationRead,
    MembershipList,
    MembershipRead,
)
from services.segmentation.rules import (
    Explanation,
    explain,
    explanation_json,
    next_flip,
    parse_rule,
    personal_leaves,
)
from services.segmentation.segments.errors import CustomerUnknown
from services.segmentation.segments.repository import SegmentRepository
from services.segmentation.tenants.repository import ShopRepository
from shared.audit.trail import AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.unit_of_work import UnitOfWork
from shared.pii import PII_READ
from shared.security.principal import Principal


class ExplanationService:
    """Reads one customer's facts and says what rules make of them."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        shops: ShopRepository,
        segments: SegmentRepository,
        memberships: MembershipQueries,
    ) -> None:
        self._uow = uow
        self._shops = shops
        self._segments = segments
        self._memberships = memberships

    async def explain(
        self, segment_id: UUID, customer_id: UUID, *, principal: Principal
    ) -> ExplanationRead:
        """Every node of the rule with its truth and values.

        Raises SegmentNotFound, CustomerUnknown.
        """
        segment = await self._segments.get(segment_id)
        facts = await find_customer_facts(self._uow, customer_id)
        if facts is None:
            raise CustomerUnknown
        person_id = facts.profile.customer_id
        shop = await self._shops.read()
        member = await self._memberships.find(segment_id, person_id)
        rule, now = parse_rule(segment.rule), self._uow.clock.now()
        explanation = explain(rule, facts, as_of=now, timezone=shop.timezone)
        sees_personal = PII_READ in principal.scopes
        if sees_personal and personal_leaves(rule):
            self._record_look_at(person_id)
        return ExplanationRead(
            segment_id=segment_id,
            customer_id=person_id,
            rule_version=segment.rule_version,
            matches=explanation.truth is True,
            is_member=member is not None,
            entered_at=None if member is None else member.entered_at,
            reason=None if member is None else member.reason,
            flips_at=next_flip(rule, facts, as_of=now, timezone=shop.timezone),
            rule=_node(explanation, sees_personal=sees_personal),
            as_of=now,
        )

    async def memberships_of(self, customer_id: UUID, *, principal: Principal) -> MembershipList:
        """All segments of a customer, those entered last first. Raises CustomerUnknown."""
        facts = await find_customer_facts(self._uow, customer_id)
        if facts is None:
            raise CustomerUnknown
        shop = await self._shops.read()
        person_id = facts.profile.customer_id
        rows = await self._memberships.of_customer(person_id)
        now = self._uow.clock.now()
        sees_personal = PII_READ in principal.scopes
        rules = [parse_rule(row.rule) for row in rows]
        if sees_personal and any(map(personal_leaves, rules)):
            self._record_look_at(person_id)
        data: list[MembershipRead] = []
        for row, rule in zip(rows, rules, strict=True):
            explanation = explain(rule, facts, as_of=now, timezone=shop.timezone)
            flips_at = next_flip(rule, facts, as_of=now, timezone=shop.timezone)
            data.append(_membership(row, explanation, flips_at, sees_personal=sees_personal))
        return MembershipList(data=data)

    def _record_look_at(self, customer_id: UUID) -> None:
        """The values that a reason gives are personal data, and no mark in the schema says so."""
        subject = AuditSubject(object="customer", id=str(customer_id))
        self._uow.record(AuditEntry([subject], kind="read"))


def _membership(
    row: Any, explanation: Explanation, flips_at: datetime | None, *, sees_personal: bool
) -> MembershipRead:
    return MembershipRead(
        segment_id=row.segment_id,
        segment_key=row.key,
        segment_name=row.name,
        customer_id=row.customer_id,
        entered_at=row.entered_at,
        rule_version=row.rule_version,
        reason=row.reason,
        because=[_node(leaf, sees_personal=sees_personal) for leaf in _true_leaves(explanation)],
        flips_at=flips_at,
    )


def _true_leaves(explanation: Explanation) -> Iterator[Explanation]:
    """What makes the rule true: its true conditions; of a negation the negation itself."""
    if explanation.truth is not True:
        return
    if explanation.kind in {"all", "any"}:
        for child in explanation.children:
            yield from _true_leaves(child)
    else:
        yield explanation


def _node(explanation: Explanation, *, sees_personal: bool) -> ExplanationNode:
    shown = explanation_json(explanation, sees_personal=sees_personal)
    return ExplanationNode.model_validate(shown)
