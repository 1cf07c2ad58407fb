"""Why a customer belongs to a segment, or why not."""

from collections.abc import Container, Iterator, Sequence
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
    Rule,
    explain,
    explanation_json,
    next_flip,
    parse_rule,
    personal_leaves,
)
from services.segmentation.segments.errors import CustomerUnknown
from services.segmentation.segments.repository import SegmentRepository
from services.segmentation.tenants.repository import ShopRepository
from shared.audit.trail import SENSITIVE, AuditEntry
from shared.contracts.audit import AuditSubject
from shared.db.unit_of_work import UnitOfWork
from shared.pii import PII_READ, FieldMarks
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
        marks, sees_personal = await self._shops.marks(), PII_READ in principal.scopes
        if sees_personal:
            self._record_look_at(person_id, [rule], marks)
        return ExplanationRead(
            segment_id=segment_id,
            customer_id=person_id,
            rule_version=segment.rule_version,
            matches=explanation.truth is True,
            is_member=member is not None,
            entered_at=None if member is None else member.entered_at,
            reason=None if member is None else member.reason,
            flips_at=next_flip(rule, facts, as_of=now, timezone=shop.timezone),
            rule=_node(explanation, sees_personal=sees_personal, marked=marks),
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
        marks, sees_personal = await self._shops.marks(), PII_READ in principal.scopes
        rules = [parse_rule(row.rule) for row in rows]
        if sees_personal:
            self._record_look_at(person_id, rules, marks)
        data: list[MembershipRead] = []
        for row, rule in zip(rows, rules, strict=True):
            explanation = explain(rule, facts, as_of=now, timezone=shop.timezone)
            flips_at = next_flip(rule, facts, as_of=now, timezone=shop.timezone)
            because = [
                _node(leaf, sees_personal=sees_personal, marked=marks)
                for leaf in _true_leaves(explanation)
            ]
            data.append(_membership(row, because, flips_at))
        return MembershipList(data=data)

    def _record_look_at(self, customer_id: UUID, rules: Sequence[Rule], marks: FieldMarks) -> None:
        """The values that a reason gives are personal data, and no mark in the schema says so."""
        asked = {leaf.field for rule in rules for leaf in personal_leaves(rule, marks)}
        if not asked:
            return
        subject = AuditSubject(object="customer", id=str(customer_id))
        sensitive = sorted(f.name for f in asked if marks.get(f.key) == "sensitive")
        detail = {SENSITIVE: sensitive} if sensitive else {}
        self._uow.record(AuditEntry([subject], kind="read", detail=detail))


def _membership(
    row: Any, because: list[ExplanationNode], flips_at: datetime | None
) -> MembershipRead:
    return MembershipRead(
        segment_id=row.segment_id,
        segment_key=row.key,
        segment_name=row.name,
        customer_id=row.customer_id,
        entered_at=row.entered_at,
        rule_version=row.rule_version,
        reason=row.reason,
        because=because,
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


def _node(
    explanation: Explanation, *, sees_personal: bool, marked: Container[str]
) -> ExplanationNode:
    shown = explanation_json(explanation, sees_personal=sees_personal, marked=marked)
    return ExplanationNode.model_validate(shown)
