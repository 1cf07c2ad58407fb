"""What a new shop finds here."""

from contextlib import suppress

from services.segmentation.runs.repository import RunKind, RunRepository
from services.segmentation.segments.errors import SegmentKeyTaken
from services.segmentation.segments.reasons import Reason
from services.segmentation.segments.schemas import TemplateUse
from services.segmentation.segments.service import SegmentService, template_rule
from services.segmentation.segments.templates import TEMPLATES
from services.segmentation.tenants.repository import ShopRepository
from shared.contracts.gateway import TenantState
from shared.ids import new_id

ACTOR = "careloop"


async def provision(
    tenant: TenantState, *, shops: ShopRepository, segments: SegmentService, runs: RunRepository
) -> None:
    """Give a new shop a segment of each template; of a known one keep the newest settings.

    Customers may have been told of before the shop was, and days begin at another time when its
    time zone has changed: everybody is evaluated.
    """
    shop = await shops.lock()
    if not await shops.put(tenant):
        if (shop.timezone.key, shop.locale) != (tenant.timezone, tenant.locale):
            await shops.rules_changed()
            await runs.add(RunKind.EVALUATION, reason=Reason.SHOP_CHANGED)
        return
    for template in TEMPLATES.values():
        use = TemplateUse(key=template.key)
        # A shop that was quick enough to make a segment of this key keeps its own.
        with suppress(SegmentKeyTaken):
            await segments.add(
                new_id(),
                key=template.key,
                name=dict(template.name),
                rule=template_rule(use, currency=tenant.currency),
                template=use,
                actor=ACTOR,
            )
    await shops.rules_changed()
    await runs.add(RunKind.EVALUATION, reason=Reason.SEGMENT_CREATED)
