"""What the gateway writes to staff, carried by the installation's channel if there is one."""

from collections.abc import Sequence

from services.messaging.messages.ledger import Ledger
from services.messaging.messages.records import PlannedMessage
from services.messaging.staff_mail.letters import STAFF_MAIL
from shared.contracts.gateway import StaffMailRequested
from shared.db.unit_of_work import UnitOfWork
from shared.stream.envelope import Envelope


async def on_staff_mail_requested(
    _uow: UnitOfWork, events: Sequence[Envelope], *, ledger: Ledger
) -> None:
    """Send each mail once. Its text stays sealed until it is sent."""
    mails = [event.read(StaffMailRequested) for event in events]
    await ledger.plan(
        PlannedMessage(
            origin="staff",
            origin_id=mail.mail_id,
            message_class="transactional",
            template_key=STAFF_MAIL,
            channel="email",
            address=mail.recipient_email,
            recipient_name=mail.recipient_name,
            locale=mail.locale,
            variables={"subject": mail.subject, "sealed": mail.sealed},
        )
        for mail in mails
    )
