"""What the messaging service needs to know of its installation."""

from typing import ClassVar

from pydantic import EmailStr, Field, SecretStr

from services.messaging.channels.records import INSTALLATION_CHANNEL, EmailChannel, Security
from shared.settings import PartSettings


class MessagingSettings(PartSettings):
    """Settings of the messaging service.

    The `smtp_*` block is the channel of mail to staff, and of shops that have not connected one of
    their own.
    """

    part: ClassVar[str] = "messaging"

    own_database_url: str | None = Field(default=None, validation_alias="MESSAGING_DATABASE_URL")
    smtp_host: str | None = None
    smtp_port: int = Field(default=587, ge=1, le=65535)
    smtp_security: Security = "starttls"
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_sender_name: str = "Careloop"
    smtp_sender_address: EmailStr | None = None

    @property
    def installation_channel(self) -> EmailChannel | None:
        """The installation's own channel; None unless host and sender address are set."""
        if self.smtp_host is None or self.smtp_sender_address is None:
            return None
        return EmailChannel(
            connection_id=INSTALLATION_CHANNEL,
            version=1,
            host=self.smtp_host,
            port=self.smtp_port,
            security=self.smtp_security,
            sender_name=self.smtp_sender_name,
            sender_address=self.smtp_sender_address,
            username=self.smtp_username,
            password=self.smtp_password.get_secret_value() if self.smtp_password else None,
        )
