"""What a shop can do with its segments."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from typing import Any, Final
from uuid import UUID

from pydantic import ValidationError

from services.segmentation.rules import parse_rule
from services.segmentation.runs.repository import RunKind, RunRepository
from services.segmentation.segments.active import is_timed
from services.segmentation.segments.errors import SegmentPaused, TemplateNotFound, TooManySegments
from services.segmentation.segments.permission import check_may_ask
from services.segmentation.segments.reasons import Reason
from services.segmentation.segments.repository import SegmentRepository
from services.segmentation.segments.schemas import (
    SegmentCreate,
    SegmentPatch,
    SegmentRead,
    SegmentVersionRead,
    TemplateUse,
)
from services.segmentation.segments.templates import TEMPLATES
from services.segmentation.tenants.repository import ShopRepository
from shared.db.paging import PageRequest
from shared.errors import FieldError, Invalid
from shared.ids import new_id
from shared.security.principal import Principal
from shared.web.resources import Page, check_version

MOST_SEGMENTS: Final = 500

RuleSource = Mapping[str, Any]
MemberCounts = Callable[[Collection[UUID]], Awaitable[Mapping[UUID, int]]]


class SegmentService:
    """The segments of one tenant."""

    def __init__(
        self,
        *,
        segments: SegmentRepository,
        shops: ShopRepository,
        runs: RunRepository,
        count_members: MemberCounts,
    ) -> None:
        self._segments = segments
        self._shops = shops
        self._runs = runs
        self._count_members = count_members

    async def get(self, segment_id: UUID, *, with_members: bool = False) -> SegmentRead:
        """Raises SegmentNotFound."""
        found = await self._segments.get(segment_id)
        return (await self._counted([found]))[0] if with_members else found

    async def list_page(
        self,
        request: PageRequest,
        *,
        key: str | None = None,
        status: str | None = None,
        with_members: bool = False,
    ) -> Page[SegmentRead]:
        """The segments, oldest first."""
        listed = await self._segments.list_page(request, key=key, status=status)
        if not with_members:
            return listed
        return Page(data=await self._counted(listed.data), next_cursor=listed.next_cursor)

    async def create(self, wanted: SegmentCreate, *, principal: Principal) -> SegmentRead:
        """A new segment, for which everybody is evaluated in the background.

        Raises PersonalRule, SegmentKeyTaken, TooManySegments, TemplateNotFound, Invalid.
        """
        shop = await self._shops.lock()
        if await self._segments.count() >= MOST_SEGMENTS:
            raise TooManySegments(f"At most {MOST_SEGMENTS} segments")
        source = wanted.source() or template_rule(wanted.template, currency=shop.currency)
        check_may_ask(principal, source, marked=await self._shops.marks())
        segment_id = new_id()
        await self.add(
            segment_id,
            key=wanted.key,
            name=wanted.name.model_dump(),
            rule=source,
            template=wanted.template,
            status=wanted.status,
            actor=principal.actor_id,
        )
        await self._shops.rules_changed()
        if wanted.status == "active":
            await self._evaluate_everybody(segment_id, Reason.SEGMENT_CREATED)
        return await self._segments.get(segment_id)

    async def add(
        self,
        segment_id: UUID,
        *,
        key: str,
        name: Mapping[str, str],
        rule: RuleSource,
        template: TemplateUse | None,
        status: str = "active",
        actor: str,
    ) -> None:
        """Write a new segment with its first rule. The shop must be locked."""
        used = None if template is None else template.model_dump()
        timed = is_timed(parse_rule(rule))
        await self._segments.add(
            {
                "id": segment_id,
                "key": key,
                "name": name,
                "rule": rule,
                "template": used,
                "status": status,
                "timed": timed,
            }
        )
        await self._segments.add_version(
            segment_id, rule_version=1, rule=rule, template=used, created_by=actor
        )

    async def change(
        self,
        segment_id: UUID,
        wanted: SegmentPatch,
        *,
        expected_version: int | None,
        principal: Principal,
    ) -> SegmentRead:
        """Change a segment; a new rule is a new version, and everybody is evaluated by it.

        Raises SegmentNotFound, PreconditionFailed, PersonalRule, TemplateNotFound, Invalid.
        """
        shop = await self._shops.lock()
        current = await self._segments.lock(segment_id)
        check_version(current.version, expected_version)
        values: dict[str, Any] = {}
        if wanted.name is not None:
            values["name"] = wanted.name.model_dump()
        if wanted.status is not None:
            values["status"] = wanted.status
        rule = self._new_rule(current, wanted, currency=shop.currency)
        if rule is not None:
            check_may_ask(principal, rule, marked=await self._shops.marks())
            values |= await self._next_rule(
                current, rule, wanted.template, actor=principal.actor_id
            )
        await self._segments.change(segment_id, values)
        await self._shops.rules_changed()
        if (wanted.status or current.status) == "active":
            if rule is not None:
                await self._evaluate_everybody(segment_id, Reason.RULE_CHANGED)
            elif current.status == "paused":
                await self._evaluate_everybody(segment_id, Reason.SEGMENT_RESUMED)
        return await self._segments.get(segment_id)

    async def delete(self, segment_id: UUID, *, expected_version: int | None) -> None:
        """Take a segment away; its members leave in the background.

        Raises SegmentNotFound, PreconditionFailed.
        """
        await self._shops.lock()
        current = await self._segments.lock(segment_id)
        check_version(current.version, expected_version)
        await self._segments.delete(segment_id)
        await self._shops.rules_changed()
        await self._runs.add(
            RunKind.REMOVAL,
            segment_id=segment_id,
            reason=Reason.SEGMENT_DELETED,
            detail={"segment_id": str(segment_id)},
        )

    async def rebuild(self, segment_id: UUID) -> UUID:
        """Evaluate everybody anew; the job's id. Raises SegmentNotFound, SegmentPaused."""
        await self.check_active(segment_id)
        return await self._evaluate_everybody(segment_id, Reason.REBUILT)

    async def check_active(self, segment_id: UUID) -> None:
        """Raises SegmentNotFound, SegmentPaused."""
        if (await self._segments.get(segment_id)).status == "paused":
            raise SegmentPaused

    async def versions(self, segment_id: UUID, request: PageRequest) -> Page[SegmentVersionRead]:
        """Every rule the segment ever had, newest first. Raises SegmentNotFound."""
        await self._segments.get(segment_id)
        return await self._segments.versions(segment_id, request)

    def _new_rule(
        self, current: SegmentRead, wanted: SegmentPatch, *, currency: str
    ) -> RuleSource | None:
        source: RuleSource | None = wanted.source()
        if source is None and wanted.template is not None:
            source = template_rule(wanted.template, currency=currency)
        if source == current.rule and wanted.template == current.template:
            return None
        return source

    async def _next_rule(
        self, current: SegmentRead, rule: RuleSource, template: TemplateUse | None, *, actor: str
    ) -> dict[str, Any]:
        rule_version = current.rule_version + 1
        used = None if template is None else template.model_dump()
        await self._segments.add_version(
            current.id, rule_version=rule_version, rule=rule, template=used, created_by=actor
        )
        return {
            "rule": rule,
            "rule_version": rule_version,
            "template": used,
            "timed": is_timed(parse_rule(rule)),
        }

    async def _evaluate_everybody(self, segment_id: UUID, reason: Reason) -> UUID:
        return await self._runs.add(
            RunKind.EVALUATION,
            segment_id=segment_id,
            reason=reason,
            detail={"segment_id": str(segment_id)},
        )

    async def _counted(self, segments: list[SegmentRead]) -> list[SegmentRead]:
        members = await self._count_members([found.id for found in segments])
        return [
            found.model_copy(update={"members_count": members.get(found.id, 0)})
            for found in segments
        ]


def template_rule(use: TemplateUse | None, *, currency: str) -> RuleSource:
    """The rule that a template makes of a shop's figures.

    Raises TemplateNotFound, or Invalid naming the figures that it does not take.
    """
    if use is None:
        raise AssertionError("either a rule or a template is given")
    template = TEMPLATES.get(use.key)
    if template is None:
        raise TemplateNotFound(use.key)
    try:
        return template.parameters.model_validate(use.parameters).rule(currency)
    except ValidationError as error:
        faults = [
            FieldError(f"/body/template/parameters/{fault['loc'][0]}", fault["type"], fault["msg"])
            for fault in error.errors()
        ]
        raise Invalid("The template does not take these figures", errors=faults) from error
