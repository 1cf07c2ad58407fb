"""Customers enter and leave segments: automations plan messages, or call them off."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import timedelta
from uuid import UUID

from services.messaging.automations.records import Automation
from services.messaging.automations.repository import AutomationRepository
from services.messaging.messages.ledger import Ledger
from services.messaging.messages.records import PlannedMessage
from services.messaging.recipients.repository import RecipientRepository
from shared.contracts.segmentation import (
    BY_MERGE,
    BY_UNMERGE,
    Membership,
    SegmentEntered,
    SegmentLeft,
)
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def on_segment_entered(
    uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger
) -> None:
    """Plan what the active automations of these segments send. The customer may be unknown yet.

    A merged record enters for nobody: the one that stands for the person does, if the person
    belongs. Who enters because a merge was undone has belonged before, and was cared for then.
    """
    told = [event.read(SegmentEntered).membership for event in events]
    entries = [entry for entry in told if entry.reason != BY_UNMERGE]
    automations = await AutomationRepository(uow).of_segments({e.segment_key for e in entries})
    active = [each for each in automations if each.status == "active"]
    if not active:
        return
    merged = await RecipientRepository(uow).merged_among({e.customer_id for e in entries})
    await ledger.plan(_planned(active, [e for e in entries if e.customer_id not in merged]))


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
            # Of somebody who was merged, a record may have entered before: then nothing is sent.
            every = automation.occurrence == "every_entry" and entry.reason != BY_MERGE
            delay = timedelta(minutes=automation.delay_minutes)
            yield PlannedMessage(
                origin="automation",
                origin_id=automation.id,
                message_class=automation.message_class,
                template_key=automation.template_key,
                channel=automation.channel if automation.names_channel else None,
                customer_id=entry.customer_id,
                customer_version=entry.customer_version,
                occurrence=entry.at.isoformat() if every else "",
                variables={"segment": {"key": entry.segment_key, "name": entry.segment_name}},
                due_at=entry.at + delay if delay else None,
            )
