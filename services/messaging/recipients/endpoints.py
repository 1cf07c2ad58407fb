"""`/v1/preferences`: by which channel a customer is written to."""

from uuid import UUID

from services.messaging.deps import RecipientServiceDep
from services.messaging.recipients.schemas import MessagingPreferencesRead
from shared.web.routing import requires, service_router

router = service_router(prefix="/v1/preferences", tag="preferences")


@router.get(
    "/{customer_id}", operation_id="preferences.get", dependencies=[requires("messages:read")]
)
async def get_preferences(
    customer_id: UUID, service: RecipientServiceDep
) -> MessagingPreferencesRead:
    """The customer's preferred channel, and the one that a message would take now.

    Set `preferred_channel` on the customer. Consent, suppressions and caps are looked at when a
    message is about to be sent, for the channel that it takes.
    """
    return await service.preferences(customer_id)
