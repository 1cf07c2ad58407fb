"""What the operator's commands do about shops and their staff: with the gateway's own code."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from cli.in_shop import (
    Refused,
    act_as_operator,
    checked,
    gateway_context,
    in_shop,
    operator_of,
)
from gateway.access.passwords import Passwords
from gateway.directory.directory import Directory
from gateway.password_resets.links import LinkMaking, PasswordLinks
from gateway.roles.repository import RoleRepository
from gateway.sessions.ending import SessionEnding
from gateway.sessions.record import SessionRecord
from gateway.sessions.repository import SessionRepository
from gateway.settings import GatewaySettings
from gateway.staff.appointing import Appointing
from gateway.staff.record import StaffRecord, email_key
from gateway.staff.repository import StaffRepository
from gateway.staff.schemas import StaffCreate
from gateway.staff.service import StaffService
from gateway.staff_policy.repository import StaffPolicyRepository
from gateway.tenants.provisioning import Provisioning
from gateway.tenants.repository import TenantRepository
from gateway.tenants.schemas import TenantCreate, TenantRead
from shared.audit.trail import AuditEntry
from shared.contracts.gateway import TenantState
from shared.db.paging import MAX_LIMIT, PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId
from shared.part.context import PartContext
from shared.security.keys import SecretBox

_PASSWORD_BYTES: Final = 15


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop as the operator sees it."""

    id: TenantId
    slug: str
    state: TenantState


@dataclass(frozen=True, slots=True)
class Hired:
    """A new member, and the link by which they choose their password, unless it was mailed."""

    member: StaffRecord
    link: str | None


@dataclass(slots=True)
class _HandedOver:
    """An invitation that the operator hands over in person."""

    links: PasswordLinks
    urls: list[str] = field(default_factory=list)

    async def invite(self, member: StaffRecord) -> None:
        """Make the link, and keep it for the operator."""
        self.urls.append(await self.links.issue(member, "invitation"))

    async def withdraw(self, staff_id: UUID) -> None:
        """No link is good any more."""
        await self.links.withdraw(staff_id)


class _Nobodys:
    """No process serves requests here that had to forget what it knows of a session."""

    def forget(self, session_id: UUID) -> None:
        """Nothing to forget."""


async def list_shops() -> list[Shop]:
    """Every shop of the installation, by slug."""
    async with gateway_context() as context:
        found = []
        async for slug, tenant_id in Directory(context.units).walk("shop"):
            async with context.units.begin(tenant_id) as uow:
                state = await TenantRepository(uow).find()
            # A creation that broke off has claimed its slug and is no shop.
            found += [Shop(tenant_id, slug, state)] if state else []
        return found


async def create_shop(
    *, name: str, slug: str, owner_name: str, owner_email: str
) -> tuple[TenantRead, str]:
    """A new shop, and the password of its owner."""
    password = secrets.token_urlsafe(_PASSWORD_BYTES)
    owner = {"name": owner_name, "email": owner_email, "password": password}
    given = checked(TenantCreate, name=name, slug=slug, owner=owner)
    async with gateway_context() as context:
        directory = Directory(context.units)
        provisioning = Provisioning(units=context.units, directory=directory, passwords=Passwords())
        return await provisioning.create(given), password


async def list_staff(shop: str) -> list[StaffRecord]:
    """Everybody who works for a shop, the newest first."""
    async with in_shop(shop) as (_, uow):
        found: list[StaffRecord] = []
        request: PageRequest | None = PageRequest(limit=MAX_LIMIT, cursor=None)
        while request is not None:
            records, cursor = await StaffRepository(uow).list_newest(request)
            found += records
            request = PageRequest(limit=MAX_LIMIT, cursor=cursor) if cursor else None
        return found


async def create_staff(shop: str, *, name: str, email: str, role: str, mail: bool) -> Hired:
    """A new member, invited by a link that is mailed or handed over."""
    given = checked(StaffCreate, name=name, email=email, role=role)
    async with in_shop(shop) as (context, uow):
        links = PasswordLinks(uow=uow, making=_making(context))
        handing = _HandedOver(links)
        staff = StaffRepository(uow)
        service = StaffService(
            uow=uow,
            appointing=Appointing(principal=operator_of(uow), staff=staff),
            staff=staff,
            roles=RoleRepository(uow),
            policies=StaffPolicyRepository(uow),
            sessions=SessionEnding(uow=uow, live=_Nobodys()),
            invitations=links if mail else handing,
            directory=Directory(context.units),
            passwords=Passwords(),
        )
        act_as_operator(uow, "staff.create")
        member = await service.hire(given)
        uow.record(AuditEntry.of("staff", member.id))
        await uow.commit()
        return Hired(member, handing.urls[0] if handing.urls else None)


async def reset_password(shop: str, email: str, *, mail: bool) -> str | None:
    """The link by which a member chooses a new password; None when it was mailed."""
    async with in_shop(shop) as (context, uow):
        member = await _member(uow, email)
        links = PasswordLinks(uow=uow, making=_making(context))
        act_as_operator(uow, "staff.reset-password")
        uow.record(AuditEntry.of("staff", member.id))
        link = None
        if mail:
            await links.send(member, "reset")
        else:
            link = await links.issue(member, "reset")
        await uow.commit()
        return link


async def list_sessions(shop: str, email: str) -> Sequence[SessionRecord]:
    """Where a member is logged in, the newest first."""
    async with in_shop(shop) as (_, uow):
        member = await _member(uow, email)
        request = PageRequest(limit=MAX_LIMIT, cursor=None)
        found, _more = await SessionRepository(uow).list_newest(member.id, request)
        return found


async def revoke(shop: str, email: str, session_id: UUID | None) -> int:
    """End one session of a member, or all; how many were."""
    async with in_shop(shop) as (_, uow):
        member = await _member(uow, email)
        sessions = SessionRepository(uow)
        act_as_operator(uow, "staff.revoke")
        if session_id is None:
            ended = len(await sessions.end_all(member.id, reason="revoked"))
        else:
            found = await sessions.find(session_id)
            if found is None or found.staff_id != member.id:
                raise Refused(f"{email} has no session {session_id}.")
            await sessions.end(session_id, reason="revoked")
            ended = 1
        uow.record(AuditEntry.of("staff", member.id))
        await uow.commit()
        return ended


async def _member(uow: UnitOfWork, email: str) -> StaffRecord:
    member = await StaffRepository(uow).find_by_email(email_key(email))
    if member is None:
        raise Refused(f"Nobody of this shop logs in with {email}.")
    return member


def _making(context: PartContext[GatewaySettings]) -> LinkMaking:
    return LinkMaking.of(context.settings, SecretBox(context.settings.root_key))
