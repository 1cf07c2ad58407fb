"""E-mail channels, as the gateway tells of them."""

from collections.abc import Sequence
from uuid import UUID

from services.messaging.channels.repository import ChannelRepository
from shared.contracts.gateway import EmailChannelChanged, EmailChannelState
from shared.db.unit_of_work import UnitOfWork
from shared.security.keys import SecretBox
from shared.stream.envelope import Envelope


async def project_channels(
    uow: UnitOfWork, events: Sequence[Envelope], *, secrets: SecretBox
) -> None:
    """Bring the shop's e-mail channels up to date."""
    newest: dict[UUID, EmailChannelState] = {}
    for event in events:
        state = event.read(EmailChannelChanged).channel
        known = newest.get(state.connection_id)
        if known is None or state.version > known.version:
            newest[state.connection_id] = state
    repository = ChannelRepository(uow, secrets=secrets)
    await repository.project(newest.values())
