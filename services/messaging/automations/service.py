"""Automations as a resource."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from services.messaging.automations.errors import AutomationKeyTaken, AutomationTemplateUnknown
from services.messaging.automations.records import Automation
from services.messaging.automations.repository import AutomationRepository
from services.messaging.automations.schemas import (
    AutomationAudit,
    AutomationCreate,
    AutomationPatch,
)
from services.messaging.channels.records import CHANNEL_ORDER
from services.messaging.messages.ledger import Ledger
from services.messaging.messages.repository import MessageRepository
from services.messaging.policies.records import Channel
from services.messaging.templates.repository import TemplateRepository
from shared.clock import Clock
from shared.db.paging import PageRequest
from shared.errors import FieldError
from shared.ids import new_id
from shared.web.resources import check_version


class AutomationService:
    """What clients can do with automations."""

    def __init__(
        self,
        *,
        automations: AutomationRepository,
        templates: TemplateRepository,
        messages: MessageRepository,
        ledger: Ledger,
        clock: Clock,
    ) -> None:
        self._automations = automations
        self._templates = templates
        self._messages = messages
        self._ledger = ledger
        self._clock = clock

    async def create(self, given: AutomationCreate) -> Automation:
        """A new automation. Raises AutomationTemplateUnknown, AutomationKeyTaken."""
        await self._check_template(given.template)
        now = self._clock.now()
        new = Automation(
            id=new_id(),
            version=1,
            template_key=given.template,
            created_at=now,
            updated_at=now,
            **_channel(given.channel),
            **given.model_dump(exclude={"template", "channel"}),
        )
        if not await self._automations.add([new]):
            raise AutomationKeyTaken(f"The key {given.key} is taken")
        return new

    async def get(self, automation_id: UUID) -> Automation:
        """Raises AutomationNotFound."""
        return await self._automations.get(automation_id)

    async def list_page(self, request: PageRequest) -> tuple[Sequence[Automation], str | None]:
        """A page of automations, oldest first."""
        return await self._automations.list_page(request)

    async def change(
        self, automation_id: UUID, given: AutomationPatch, *, expected_version: int | None
    ) -> Automation:
        """The automation after the change; what it planned before stays as planned.

        Raises AutomationNotFound, AutomationTemplateUnknown, PreconditionFailed.
        """
        current = await self._automations.lock(automation_id)
        check_version(current.version, expected_version)
        values: dict[str, Any] = given.model_dump(exclude_unset=True)
        if "template" in values:
            values["template_key"] = values.pop("template")
            await self._check_template(values["template_key"])
        if "channel" in values:
            values |= _channel(values["channel"])
        return await self._save(current, replace(current, **values))

    async def pause(self, automation_id: UUID) -> Automation:
        """Stop it, and hold back what it has planned and not sent. Raises AutomationNotFound."""
        current = await self._automations.lock(automation_id)
        paused = await self._save(current, replace(current, status="paused"))
        await self._ledger.pause(automation_id)
        return paused

    async def resume(self, automation_id: UUID) -> Automation:
        """Start it again, and let go what was held back. Raises AutomationNotFound."""
        current = await self._automations.lock(automation_id)
        active = await self._save(current, replace(current, status="active"))
        await self._ledger.resume(automation_id)
        return active

    async def audit(self, automation_id: UUID) -> AutomationAudit:
        """What became of everything it planned. Raises AutomationNotFound."""
        automation = await self._automations.get(automation_id)
        counts: Counter[str] = Counter()
        reasons: Counter[str] = Counter()
        for status, reason, messages in await self._messages.outcomes_of(
            "automation", automation.id
        ):
            counts["planned"] += messages
            counts["in_flight" if status in ("planned", "sending") else status] += messages
            if reason is not None:
                reasons[reason] += messages
        return AutomationAudit(automation_id=automation.id, **counts, reasons=dict(reasons))

    async def _save(self, current: Automation, changed: Automation) -> Automation:
        if changed == current:
            return current
        saved = replace(changed, version=current.version + 1, updated_at=self._clock.now())
        await self._automations.save(saved)
        return saved

    async def _check_template(self, key: str) -> None:
        if key not in await self._templates.find_many([key]):
            fault = FieldError("/body/template", "unknown", f"no template {key}")
            raise AutomationTemplateUnknown(errors=[fault])


def _channel(named: Channel | None) -> dict[str, Any]:
    return {"channel": named or CHANNEL_ORDER[0], "names_channel": named is not None}
