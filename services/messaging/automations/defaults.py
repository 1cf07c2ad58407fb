"""The automation that every new shop starts with."""

from datetime import datetime
from typing import Final

from services.messaging.automations.records import Automation
from services.messaging.channels.records import CHANNEL_ORDER
from services.messaging.templates.defaults import THANK_YOU_FIRST_ORDER
from shared.ids import new_id

NEW_CUSTOMERS_SEGMENT: Final = "new_customers"


def default_automations(at: datetime) -> list[Automation]:
    """Thank every new customer, as if set up at `at`."""
    return [
        Automation(
            id=new_id(),
            version=1,
            key="thank_new_customers",
            name="Cảm ơn khách hàng mới",
            status="active",
            trigger="segment_entered",
            segment_key=NEW_CUSTOMERS_SEGMENT,
            template_key=THANK_YOU_FIRST_ORDER,
            message_class="care",
            channel=CHANNEL_ORDER[0],
            names_channel=False,
            occurrence="once",
            delay_minutes=0,
            cancel_on_exit=False,
            created_at=at,
            updated_at=at,
        )
    ]
