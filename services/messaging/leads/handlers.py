"""Asking people by mail whether it was they who agreed to something in a form."""

from collections.abc import Sequence

from services.messaging.leads.letters import LEAD_CONFIRMATION
from services.messaging.messages.ledger import Ledger
from services.messaging.messages.records import PlannedMessage
from shared.contracts.leads import LeadConfirmationRequested
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def on_lead_confirmation_requested(
    _uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger
) -> None:
    """Ask each once. It is about their own request, so no consent is needed for it."""
    asked = [event.read(LeadConfirmationRequested) for event in events]
    await ledger.plan(
        PlannedMessage(
            origin="lead_form",
            origin_id=each.submission_id,
            message_class="transactional",
            template_key=LEAD_CONFIRMATION,
            # What was agreed to concerns this address: only who reads its mail can confirm it.
            channel="email",
            customer_id=each.customer_id,
            address=each.email,
            locale=each.locale,
            variables={"confirmation": {"url": each.url}},
        )
        for each in asked
    )
