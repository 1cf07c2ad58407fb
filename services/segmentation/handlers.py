"""What this service does when others tell something."""

from collections.abc import Sequence

from services.segmentation.erasure import part_privacy
from services.segmentation.facts.newest import STATE_EVENTS, NewestStates
from services.segmentation.facts.projection import Projection
from services.segmentation.facts.statistics import Statistics
from services.segmentation.provisioning.service import provision
from services.segmentation.settings import SegmentationSettings
from services.segmentation.tenants.repository import ShopRepository
from services.segmentation.wiring import Wiring
from shared.contracts.customer import CustomFieldDefined, SnapshotCompleted
from shared.contracts.gateway import TenantProvisioned
from shared.db.unit_of_work import UnitOfWork
from shared.part.context import PartContext
from shared.privacy.field_marks import keep_field_marks
from shared.stream.envelope import Envelope
from shared.stream.handlers import EventHandlers


def build_handlers(
    context: PartContext[SegmentationSettings], wiring: Wiring | None = None
) -> EventHandlers:
    """The reactions of this service to every event it subscribed to."""
    wiring = wiring or Wiring.of(context)
    statistics = Statistics(context.units)
    part = context.settings.part

    async def follow(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        """Apply what is new about customers, and let enter and leave whoever that moves."""
        shop = await ShopRepository(uow).share()
        changes = await Projection(uow, shop=shop).apply(NewestStates.of(envelopes))
        await wiring.memberships(uow).follow(changes, shop=shop)
        uow.after_commit(statistics.batch_applied)

    async def open_shop(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            await provision(
                envelope.read(TenantProvisioned).tenant,
                shops=ShopRepository(uow),
                segments=wiring.segments(uow),
                runs=wiring.runs(uow),
            )

    async def end_snapshot(uow: UnitOfWork, envelopes: Sequence[Envelope]) -> None:
        for envelope in envelopes:
            told = envelope.read(SnapshotCompleted)
            if told.requested_by == part:
                await wiring.rebuilds(uow).snapshot_completed(told.job_id)

    handlers = (
        EventHandlers()
        .on(*STATE_EVENTS, apply=follow)
        .on(TenantProvisioned, apply=open_shop)
        .on(SnapshotCompleted, apply=end_snapshot)
        .on(CustomFieldDefined, apply=keep_field_marks(part))
    )
    return part_privacy(context.settings.root_key).attach(handlers)
