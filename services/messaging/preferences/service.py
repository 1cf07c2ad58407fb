"""People say stop, and it holds at once."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid5

from services.messaging.messages.records import Message
from services.messaging.messages.repository import MessageRepository
from services.messaging.preferences.errors import SuppressionNotFound
from services.messaging.preferences.links import UnsubscribeLinks
from services.messaging.preferences.repository import Suppression, SuppressionRepository
from services.messaging.preferences.schemas import SuppressionCreate
from services.messaging.recipients.addresses import address_key
from services.messaging.recipients.repository import RecipientRepository
from services.messaging.shops.repository import Shop, ShopRepository
from shared.contracts.messaging import RecipientUnsubscribed
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.errors import NotFound
from shared.ids import new_id

_UNKNOWN_RECIPIENTS = UUID("0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00")


@dataclass(frozen=True, slots=True)
class Preference:
    """What an unsubscribe link is about, and what was said by it that still holds."""

    shop: Shop
    message: Message
    address: str
    suppression: Suppression | None
    outdated: Suppression | None = None
    """What was said by it before they agreed anew."""


class PreferenceService:
    """What people can say about being written to, by the links in their messages."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        messages: MessageRepository,
        suppressions: SuppressionRepository,
        recipients: RecipientRepository,
        shops: ShopRepository,
        links: UnsubscribeLinks,
    ) -> None:
        self._uow = uow
        self._messages = messages
        self._suppressions = suppressions
        self._recipients = recipients
        self._shops = shops
        self._links = links

    async def look(self, token: str) -> Preference:
        """What the link is about; changes nothing. Raises NotFound."""
        target = self._links.verify(token)
        if target.tenant_id != self._uow.tenant_id:
            raise NotFound("This link is not valid")
        message = await self._messages.get(target.subject_id)
        if message.address is None:
            raise NotFound("This link is not valid")
        said = await self._said(message, message.address)
        shop = await self._shops.find()
        if said is not None and await self._has_agreed_since(said, message):
            return Preference(shop, message, message.address, None, outdated=said)
        return Preference(shop, message, message.address, said)

    async def unsubscribe(self, token: str, *, source: str) -> Preference:
        """Stop care and advertising to the address of the link's message, from now on.

        Doing it again changes nothing and tells nobody, unless they have agreed meanwhile: who
        says stop again means that yes. Raises NotFound.
        """
        preference = await self.look(token)
        if preference.suppression is not None:
            return preference
        message, now = preference.message, self._uow.clock.now()
        suppression = Suppression(
            id=new_id(),
            channel=message.channel,
            address=address_key(preference.address),
            scope="marketing",
            reason="unsubscribed",
            source=source,
            message_id=message.id,
            customer_id=message.customer_id,
            created_at=now,
        )
        # Of two clicks at the same instant, one is told of.
        if await self._say(suppression, preference.outdated):
            self._uow.append(_unsubscribed(suppression), key=_key_of(suppression))
        return Preference(preference.shop, message, preference.address, suppression)

    async def _say(self, suppression: Suppression, outdated: Suppression | None) -> bool:
        if outdated is None:
            return bool(await self._suppressions.add([suppression]))
        return await self._suppressions.renew(suppression, outdated)

    async def _said(self, message: Message, address: str) -> Suppression | None:
        return await self._suppressions.find(
            channel=message.channel, address=address, scope="marketing", reason="unsubscribed"
        )

    async def _has_agreed_since(self, said: Suppression, message: Message) -> bool:
        """Whether the person of a message has agreed to be written to after they said stop."""
        if message.customer_id is None:
            return False
        known = await self._recipients.find_many([message.customer_id])
        return any(
            consent.status == "granted"
            and consent.channel == message.channel
            and consent.changed_at > said.created_at
            for person in known.values()
            for consent in person.consents
        )


class SuppressionService:
    """Suppressions as a resource."""

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        suppressions: SuppressionRepository,
        recipients: RecipientRepository,
    ) -> None:
        self._uow = uow
        self._suppressions = suppressions
        self._recipients = recipients

    async def list_page(
        self, request: PageRequest, *, address: str | None, reason: str | None
    ) -> tuple[Sequence[Suppression], str | None]:
        """A page of suppressions, newest first."""
        return await self._suppressions.list_page(request, address=address, reason=reason)

    async def add(self, given: SuppressionCreate, *, source: str) -> Suppression:
        """Suppress an address; the one in force if it is suppressed already."""
        new = Suppression(
            id=new_id(),
            channel=given.channel,
            address=address_key(given.address),
            scope=given.scope,
            reason=given.reason,
            source=source,
            message_id=None,
            customer_id=await self._recipients.find_by_address(email=given.address, phone=None),
            created_at=self._uow.clock.now(),
        )
        if await self._suppressions.add([new]):
            return new
        current = await self._suppressions.find(
            channel=given.channel,
            address=given.address,
            scope=given.scope,
            reason=given.reason,
        )
        return current or new

    async def lift(self, suppression_id: UUID) -> None:
        """Let the address be written to again. Raises SuppressionNotFound."""
        if not await self._suppressions.remove(suppression_id):
            raise SuppressionNotFound


def _unsubscribed(suppression: Suppression) -> RecipientUnsubscribed:
    return RecipientUnsubscribed(
        customer_id=suppression.customer_id,
        channel="email",
        address=suppression.address,
        purpose="marketing",
        at=suppression.created_at,
    )


def _key_of(suppression: Suppression) -> UUID:
    return suppression.customer_id or uuid5(_UNKNOWN_RECIPIENTS, suppression.address)
