"""How customers are reached, as a resource."""

from uuid import UUID

from services.messaging.channels.choice import choose_channel
from services.messaging.channels.records import CHANNEL_ORDER, connected_channels
from services.messaging.channels.repository import ChannelRepository
from services.messaging.policies.records import Channel
from services.messaging.recipients.errors import RecipientNotFound
from services.messaging.recipients.repository import RecipientRepository
from services.messaging.recipients.schemas import ChannelReach, MessagingPreferencesRead


class RecipientService:
    """What clients can know of recipients."""

    def __init__(
        self,
        *,
        recipients: RecipientRepository,
        channels: ChannelRepository,
        has_installation_channel: bool,
    ) -> None:
        self._recipients = recipients
        self._channels = channels
        self._has_installation_channel = has_installation_channel

    async def preferences(self, customer_id: UUID) -> MessagingPreferencesRead:
        """What the person prefers, by any of their ids. Raises RecipientNotFound."""
        known = (await self._recipients.find_many([customer_id])).get(customer_id)
        if known is None:
            raise RecipientNotFound
        addresses, connected = known.addresses, await self._connected()
        choice = choose_channel(
            preferred=known.preferred_channel,
            order=CHANNEL_ORDER,
            connected=connected,
            addresses=addresses,
            contents=CHANNEL_ORDER,
        )
        return MessagingPreferencesRead(
            customer_id=known.customer_id,
            preferred_channel=known.preferred_channel,
            channel=choice.channel,
            channel_chosen_by=choice.chosen_by,
            unmet_preference=choice.unmet_preference,
            unmet_preference_reason=choice.unmet_preference_reason,
            channels=[
                ChannelReach(
                    channel=channel,
                    connected=channel in connected,
                    reachable=bool(addresses.get(channel)),
                )
                for channel in CHANNEL_ORDER
            ],
        )

    async def _connected(self) -> frozenset[Channel]:
        return connected_channels(
            email=self._has_installation_channel or await self._channels.has_any()
        )
