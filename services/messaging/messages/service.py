"""Messages as a resource."""

from collections.abc import Collection, Sequence
from uuid import UUID

from services.messaging.messages.errors import MessageNotCancellable, UnknownTemplate
from services.messaging.messages.ledger import Ledger
from services.messaging.messages.records import Message, PlannedMessage
from services.messaging.messages.repository import MessageRepository
from services.messaging.messages.schemas import MessageCreate
from services.messaging.templates.repository import TemplateRepository
from shared.db.paging import PageRequest
from shared.errors import FieldError
from shared.ids import new_id


class MessageService:
    """What clients can do with messages."""

    def __init__(
        self, *, messages: MessageRepository, ledger: Ledger, templates: TemplateRepository
    ) -> None:
        self._messages = messages
        self._ledger = ledger
        self._templates = templates

    async def create(self, given: MessageCreate) -> Message:
        """Plan a message to be sent at once. Raises UnknownTemplate.

        The customer need not be known here yet: the message waits for it.
        """
        if given.template not in await self._templates.find_many([given.template]):
            fault = FieldError("/body/template", "unknown", f"no template {given.template}")
            raise UnknownTemplate(errors=[fault])
        planned = PlannedMessage(
            origin="api",
            origin_id=new_id(),
            message_class=given.message_class,
            template_key=given.template,
            customer_id=given.to.customer_id,
            address=given.to.email,
            channel=given.named_channel,
            variables=given.variables,
            recipient_name=given.to.name,
            locale=given.to.locale,
            reply_to=given.reply_to,
        )
        (message_id,) = await self._ledger.plan([planned])
        return await self._messages.get(message_id)

    async def get(self, message_id: UUID) -> Message:
        """Raises MessageNotFound."""
        return await self._messages.get(message_id)

    async def list_page(
        self,
        request: PageRequest,
        *,
        statuses: Collection[str],
        customer_id: UUID | None,
        origin: str | None,
        origin_id: UUID | None,
    ) -> tuple[Sequence[Message], str | None]:
        """A page of messages, planned last first."""
        return await self._messages.list_page(
            request,
            statuses=statuses,
            customer_id=customer_id,
            origin=origin,
            origin_id=origin_id,
        )

    async def cancel(self, message_id: UUID) -> Message:
        """Call off a planned message. Raises MessageNotFound, MessageNotCancellable."""
        message = await self._messages.lock(message_id)
        if message.status == "cancelled":
            return message
        if message.status != "planned":
            raise MessageNotCancellable(
                f"The message is {message.status}", extensions={"allowed_transitions": []}
            )
        (cancelled,) = await self._ledger.cancel([message_id], reason="CANCELLED_BY_CLIENT")
        return cancelled
