"""Making links to a new password, and having them sent."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Self
from uuid import UUID

from gateway.access.passwords import NO_PASSWORD
from gateway.password_resets.letters import Kind, write
from gateway.password_resets.repository import PasswordResetRepository
from gateway.settings import GatewaySettings
from gateway.staff.record import StaffRecord
from gateway.tenants.repository import TenantRepository
from shared.contracts.gateway import StaffMailRequested
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.security.keys import SecretBox
from shared.security.link_tokens import LinkTarget, LinkTokens

LIFE: Final[dict[Kind, timedelta]] = {
    "reset": timedelta(hours=1),
    "invitation": timedelta(days=7),
}


@dataclass(frozen=True, slots=True)
class LinkMaking:
    """What a process makes links with: the tokens, where they lead, what seals their mails."""

    tokens: LinkTokens
    url: str
    box: SecretBox

    @classmethod
    def of(cls, settings: GatewaySettings, box: SecretBox) -> Self:
        """As the installation is set up."""
        own = f"{settings.public_url.rstrip('/')}/pages/passwords/{{token}}"
        tokens = LinkTokens(root_key=settings.root_key, purpose="staff-password")
        return cls(tokens, settings.staff_password_url or own, box)


class PasswordLinks:
    """Links for members of one shop, inside one unit of work.

    A link is good once and for a while. Its token is nowhere in the database: it is made from the
    id of its row with the root key, and the mail that carries it travels sealed.
    """

    def __init__(self, *, uow: UnitOfWork, making: LinkMaking) -> None:
        self._uow = uow
        self._making = making

    async def issue(self, member: StaffRecord, kind: Kind) -> str:
        """The URL of a new link."""
        reset_id = new_id()
        ends = self._uow.clock.now() + LIFE[kind]
        resets = PasswordResetRepository(self._uow)
        await resets.add(reset_id, staff_id=member.id, kind=kind, ends=ends)
        token = self._making.tokens.mint(LinkTarget(self._uow.tenant_id, reset_id))
        return self._making.url.replace("{token}", token)

    async def send(self, member: StaffRecord, kind: Kind) -> None:
        """Have a new link sent to a member, in the language of the shop."""
        shop = await TenantRepository(self._uow).find()
        if shop is None:
            return
        letter = write(
            kind,
            shop.locale,
            shop=shop.name,
            name=member.name,
            email=member.email,
            url=await self.issue(member, kind),
            hours=LIFE[kind] // timedelta(hours=1),
        )
        event = StaffMailRequested(
            mail_id=new_id(),
            kind="invitation" if kind == "invitation" else "password_reset",
            recipient_name=member.name,
            recipient_email=member.email,
            locale=shop.locale,
            subject=letter.subject,
            sealed=self._making.box.seal({"text": letter.text}),
        )
        self._uow.append(event, key=member.id)

    async def invite(self, member: StaffRecord) -> None:
        """Have a member sent a link to choose a password; for long only if it is their first."""
        await self.send(member, "invitation" if member.password_hash == NO_PASSWORD else "reset")

    async def withdraw(self, staff_id: UUID) -> None:
        """No link that a member was sent is good any more."""
        await PasswordResetRepository(self._uow).spend_all(staff_id)
