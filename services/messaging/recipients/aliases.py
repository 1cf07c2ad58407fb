"""Which records of customers are one person; see `docs/adr/0013`."""

from typing import Final

from services.messaging.recipients.models import recipient
from shared.db.aliases import Aliases

RECIPIENTS: Final = Aliases(recipient, key="customer_id")
