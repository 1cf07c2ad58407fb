"""What the support-ticket service needs to know of its installation."""

from typing import ClassVar

from pydantic import Field

from shared.settings import PartSettings


class SupportTicketSettings(PartSettings):
    """Settings of the support-ticket service, API and worker alike.

    Within `reopen_days` of its end a ticket goes on when the customer writes again; later words
    open a new one.
    """

    part: ClassVar[str] = "support_ticket"

    own_database_url: str | None = Field(
        default=None, validation_alias="SUPPORT_TICKET_DATABASE_URL"
    )
    reopen_days: int = Field(default=14, ge=0, le=365)
