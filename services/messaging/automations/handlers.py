"""Customers enter and leave segments: automations plan messages, or call them off."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from services.messaging.automations.records import Automation
from services.messaging.automations.repository import AutomationRepository
from services.messaging.messages.ledger import Ledger
from services.messaging.messages.records import PlannedMessage
from shared.contracts.segmentation import Membership, SegmentEntered, SegmentLeft
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def on_segment_entered(
    uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger
) -> None:
    """Plan what the active automations of these segments send. The customer may be unknown yet."""
    entries = [event.read(SegmentEntered).membership for event in events]
    automations = await AutomationRepository(uow).of_segments({e.segment_key for e in entries})
    active = [each for each in automations if each.status == "active"]
    await ledger.plan(_planned(active, entries))


async def on_segment_left(uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger) -> None:
    """Call off what automations that say so still have planned for these customers."""
    exits = [event.read(SegmentLeft).membership for event in events]
    automations = await AutomationRepository(uow).of_segments({e.segment_key for e in exits})
    leavers: defaultdict[str, set[UUID]] = defaultdict(set)
    for membership in exits:
        leavers[membership.segment_key].add(membership.customer_id)
    for automation in automations:
        if automation.cancel_on_exit:
            await ledger.cancel_planned(
                origin_ids=[automation.id],
                customer_ids=list(leavers[automation.segment_key]),
                reason="LEFT_SEGMENT",
            )


def _planned(
    automations: Sequence[Automation], entries: Sequence[Membership]
) -> Iterator[PlannedMessage]:
    for entry in entries:
        for automation in automations:
            if automation.segment_key != entry.segment_key:
                continue
            every = automation.occurrence == "every_entry"
            delay = timedelta(minutes=automation.delay_minutes)
            yield PlannedMessage(
                origin="automation",
                origin_id=automation.id,
                message_class=automation.message_class,
                template_key=automation.template_key,
                channel=automation.channel,
                customer_id=entry.customer_id,
                customer_version=entry.customer_version,
                occurrence=entry.at.isoformat() if every else "",
                variables={"segment": {"key": entry.segment_key, "name": entry.segment_name}},
                due_at=entry.at + delay if delay else None,
            )
