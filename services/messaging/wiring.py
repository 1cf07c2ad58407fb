"""What the requests, events and jobs of one process share."""

from dataclasses import dataclass
from typing import Self

from services.messaging.delivery.tasks import SEND
from services.messaging.erasure import part_privacy
from services.messaging.messages.ledger import Ledger
from services.messaging.preferences.links import UnsubscribeLinks
from services.messaging.settings import MessagingSettings
from shared.db.unit_of_work import UnitOfWork
from shared.part.context import PartContext
from shared.privacy.part import PartPrivacy
from shared.queue.producer import Waker
from shared.security.keys import SecretBox


@dataclass(frozen=True, slots=True)
class Wiring:
    """The sender's waker, the links that messages carry, the key to channels' credentials.

    What erases people. And whether the installation has a channel for shops that have none of
    their own.
    """

    waker: Waker
    links: UnsubscribeLinks
    secrets: SecretBox
    privacy: PartPrivacy
    has_installation_channel: bool

    @classmethod
    def of(cls, context: PartContext[MessagingSettings]) -> Self:
        """The wiring of a process; once per process, so that wake-ups are spaced."""
        settings = context.settings
        return cls(
            waker=Waker(context.queue, part=settings.part, function=SEND),
            links=UnsubscribeLinks(root_key=settings.root_key, public_url=settings.public_url),
            secrets=SecretBox(settings.root_key),
            privacy=part_privacy(settings.root_key),
            has_installation_channel=settings.installation_channel is not None,
        )

    def ledger(self, uow: UnitOfWork) -> Ledger:
        """The ledger in a unit of work; planning wakes the sender after the commit."""
        return Ledger(uow, wake=self.waker.wake)
