"""Decisions about connections: what they keep sealed, and whom their changes are told to."""

import secrets
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from pydantic import SecretStr

from gateway.connections.errors import (
    CredentialsRequired,
    HostRefused,
    NoSecretToRotate,
    NotOfThisKind,
    StoreAccessRequired,
)
from gateway.connections.record import (
    EMAIL_OPTIONS,
    PLATFORM_OPTIONS,
    STORE_FIELDS,
    ConnectionRecord,
)
from gateway.connections.repository import ConnectionRepository
from gateway.connections.schemas import (
    ConnectionPatch,
    EmailConnectionCreate,
    PlatformConnectionCreate,
    RotationCreate,
)
from gateway.directory.directory import Directory
from gateway.platforms.platform import THIN, Platform
from shared.contracts.gateway import EmailChannelChanged
from shared.db.paging import PageRequest
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from shared.outbound.guard import MAIL_PORTS, HostUnknown, OutboundGuard, OutboundRefused
from shared.security.keys import SecretBox
from shared.web.resources import check_version

_SECRET_BYTES = 32
_CREDENTIALS = ("username", "password")
_SERVER = ("host", "port", "security")
_OF_KIND = {
    "platform": PLATFORM_OPTIONS,
    "email": (*EMAIL_OPTIONS, *_CREDENTIALS),
}
_OF_EVERY_KIND = ("name", "active")


class ConnectionService:
    """What a shop does with its connections.

    `forget` is told of each one that changed, for those who remember connections.
    """

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        connections: ConnectionRepository,
        directory: Directory,
        box: SecretBox,
        guard: OutboundGuard,
        forget: Callable[[UUID], None],
    ) -> None:
        self._uow = uow
        self._connections = connections
        self._directory = directory
        self._box = box
        self._guard = guard
        self._forget = forget

    async def connect_platform(
        self, given: PlatformConnectionCreate
    ) -> tuple[ConnectionRecord, str]:
        """A new platform connection and its signing secret.

        Raises StoreAccessRequired, NotOfThisKind.
        """
        store = _store_of(given)
        secret = _chosen_or_made_up(given.secret)
        record = self._new(
            kind="platform",
            platform=given.platform.value,
            name=given.name or given.platform.value,
            options={"emails_verified": given.emails_verified, **store},
            sealed_secret=self._seal(secret),
            sealed_access_token=self._sealed_token(given.access_token),
        )
        # Deliveries name the connection only: the directory says whose it is.
        await self._directory.claim("connection", record.id.hex, self._uow.tenant_id)
        await self._connections.add(record)
        return record, secret

    async def connect_email(self, given: EmailConnectionCreate) -> ConnectionRecord:
        """A new e-mail channel, which the messaging service is told of. Raises HostRefused."""
        # Before the first statement: names are looked up outside of any transaction.
        await self._check_host(given.host, given.port)
        options = {name: getattr(given, name) for name in EMAIL_OPTIONS}
        record = self._new(
            kind="email",
            name=given.name or given.sender_address,
            options=options,
            sealed_secret=self._seal_credentials({}, given),
        )
        await self._connections.add(record)
        self._tell(record)
        return record

    async def get(self, connection_id: UUID) -> ConnectionRecord:
        """Raises ConnectionNotFound."""
        return await self._connections.get(connection_id)

    async def list_newest(
        self, request: PageRequest
    ) -> tuple[Sequence[ConnectionRecord], str | None]:
        """A page of connections."""
        return await self._connections.list_newest(request)

    async def change(
        self, connection_id: UUID, given: ConnectionPatch, *, expected_version: int | None
    ) -> ConnectionRecord:
        """The connection after the change.

        Raises ConnectionNotFound, PreconditionFailed, NotOfThisKind, HostRefused,
        CredentialsRequired.
        """
        if given.host is not None or given.port is not None:
            await self._check_new_host(connection_id, given)
        before = await self._connections.lock(connection_id)
        check_version(before.version, expected_version)
        changes = given.model_dump(exclude_none=True)
        foreign = sorted(changes.keys() - {*_OF_EVERY_KIND, *_fields_of(before)})
        if foreign:
            raise NotOfThisKind(before.kind, foreign)
        options = {name: changes.get(name, value) for name, value in before.options.items()}
        if any(options.get(name) != before.options.get(name) for name in _SERVER):
            self._check_restated(before, given)
        after = replace(
            before,
            name=changes.get("name", before.name),
            active=changes.get("active", before.active),
            options=options,
            sealed_secret=self._sealed_after(before, given),
            sealed_access_token=self._sealed_token(given.access_token)
            or before.sealed_access_token,
            updated_at=self._uow.clock.now(),
            version=before.version + 1,
        )
        await self._save(after)
        self._tell(after)
        return after

    async def rotate(
        self, connection_id: UUID, given: RotationCreate
    ) -> tuple[ConnectionRecord, str]:
        """A new signing secret; the one before stays valid for a while.

        Raises ConnectionNotFound, NoSecretToRotate.
        """
        before = await self._connections.lock(connection_id)
        if before.kind != "platform":
            raise NoSecretToRotate
        now = self._uow.clock.now()
        secret = _chosen_or_made_up(given.secret)
        keep = given.keep_old_for > 0
        after = replace(
            before,
            sealed_secret=self._seal(secret),
            sealed_previous_secret=before.sealed_secret if keep else None,
            previous_secret_until=now + timedelta(seconds=given.keep_old_for) if keep else None,
            updated_at=now,
            version=before.version + 1,
        )
        await self._save(after)
        return after, secret

    async def _check_new_host(self, connection_id: UUID, given: ConnectionPatch) -> None:
        """Check where the changed channel would lead to, in a short transaction of its own."""
        before = await self._connections.get(connection_id)
        host = given.host or before.options.get("host")
        port = given.port or before.options.get("port")
        await self._uow.close()
        if host is not None and port is not None:
            await self._check_host(host, port)

    async def _check_host(self, host: str, port: int) -> None:
        try:
            await self._guard.check_host(host, port, ports=MAIL_PORTS)
        except HostUnknown:
            # It may be known later; who sends looks again.
            return
        except OutboundRefused as error:
            raise HostRefused(error) from error

    def _new(
        self,
        *,
        kind: Any,
        name: str,
        options: dict[str, Any],
        sealed_secret: str | None,
        platform: str | None = None,
        sealed_access_token: str | None = None,
    ) -> ConnectionRecord:
        now = self._uow.clock.now()
        return ConnectionRecord(
            id=new_id(),
            kind=kind,
            platform=platform,
            name=name,
            options=options,
            sealed_secret=sealed_secret,
            sealed_previous_secret=None,
            previous_secret_until=None,
            sealed_access_token=sealed_access_token,
            active=True,
            created_at=now,
            updated_at=now,
            version=1,
        )

    async def _save(self, record: ConnectionRecord) -> None:
        await self._connections.save(record)

        async def forget() -> None:
            self._forget(record.id)

        self._uow.after_commit(forget)

    def _tell(self, record: ConnectionRecord) -> None:
        if record.kind == "email":
            event = EmailChannelChanged(channel=record.email_channel())
            self._uow.append(event, key=record.id)

    def _seal(self, secret: str) -> str:
        return self._box.seal({"secret": secret})

    def _sealed_token(self, token: SecretStr | None) -> str | None:
        return None if token is None else self._box.seal({"token": token.get_secret_value()})

    def _check_restated(self, before: ConnectionRecord, given: ConnectionPatch) -> None:
        """What was entered for one server is not for another one, or the open wire, to hear."""
        known = self._box.open(before.sealed_secret) if before.sealed_secret else {}
        missing = [n for n in _CREDENTIALS if known.get(n) and getattr(given, n) is None]
        if missing:
            raise CredentialsRequired(missing)

    def _sealed_after(self, before: ConnectionRecord, given: ConnectionPatch) -> str | None:
        if given.username is None and given.password is None:
            return before.sealed_secret
        known = self._box.open(before.sealed_secret) if before.sealed_secret else {}
        return self._seal_credentials(known, given)

    def _seal_credentials(
        self, known: dict[str, str], given: EmailConnectionCreate | ConnectionPatch
    ) -> str | None:
        stated = {name: getattr(given, name) for name in _CREDENTIALS}
        opened = {name: value.get_secret_value() for name, value in stated.items() if value}
        credentials = {**known, **opened}
        if not credentials:
            return None
        return self._box.seal({name: credentials.get(name, "") for name in _CREDENTIALS})


def _store_of(given: PlatformConnectionCreate) -> dict[str, str]:
    """The store that will be asked, where a platform has to be."""
    said = [name for name in STORE_FIELDS if getattr(given, name) is not None]
    if given.platform not in THIN:
        if said:
            raise NotOfThisKind(given.platform.value, said)
        return {}
    missing = [name for name in STORE_FIELDS if name not in said]
    if missing or given.store is None:
        raise StoreAccessRequired(missing)
    return {"store": given.store}


def _fields_of(record: ConnectionRecord) -> tuple[str, ...]:
    """What may be changed of a connection, besides what all have."""
    if record.platform is not None and Platform(record.platform) in THIN:
        return (*_OF_KIND[record.kind], "access_token")
    return _OF_KIND[record.kind]


def _chosen_or_made_up(chosen: SecretStr | None) -> str:
    return chosen.get_secret_value() if chosen else secrets.token_urlsafe(_SECRET_BYTES)
