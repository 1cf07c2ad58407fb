"""Whom it is about: all records of one person, and what else they are known by."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self
from uuid import UUID

from shared.ids import TenantId
from shared.security.keys import SecretBox


@dataclass(frozen=True, slots=True, kw_only=True)
class PlatformObject:
    """What a platform calls something of theirs."""

    connection_id: UUID
    external_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownPerson:
    """A person as the parts look for them. E-mail addresses are in lower case."""

    customer_ids: tuple[UUID, ...]
    emails: tuple[str, ...] = ()
    phones: tuple[str, ...] = ()
    accounts: tuple[PlatformObject, ...] = ()
    orders: tuple[PlatformObject, ...] = ()

    def sealed(self, secrets: SecretBox) -> str:
        """All but the ids of our own, as events carry it."""
        told = {
            "emails": self.emails,
            "phones": self.phones,
            "accounts": _told(self.accounts),
            "orders": _told(self.orders),
        }
        return secrets.seal({name: json.dumps(value) for name, value in told.items()})

    @classmethod
    def opened(cls, customer_ids: Sequence[UUID], sealed: str, secrets: SecretBox) -> Self:
        """The person of an event."""
        told = {name: json.loads(value) for name, value in secrets.open(sealed).items()}
        return cls(
            customer_ids=tuple(customer_ids),
            emails=tuple(told["emails"]),
            phones=tuple(told["phones"]),
            accounts=_read(told["accounts"]),
            orders=_read(told["orders"]),
        )

    def parameters(self, tenant_id: TenantId, *, by_address: bool) -> dict[str, Any]:
        """What the statements of the registry ask for."""
        asked: dict[str, Any] = {"tenant": tenant_id, "customer_ids": list(self.customer_ids)}
        if by_address:
            asked |= {"emails": list(self.emails), "phones": list(self.phones)}
        return asked


def _told(objects: Sequence[PlatformObject]) -> list[list[str]]:
    return [[str(each.connection_id), each.external_id] for each in objects]


def _read(told: Sequence[Sequence[str]]) -> tuple[PlatformObject, ...]:
    return tuple(
        PlatformObject(connection_id=UUID(connection_id), external_id=external_id)
        for connection_id, external_id in told
    )
