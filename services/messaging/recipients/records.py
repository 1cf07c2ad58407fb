"""Recipients as the rest of this service reads them."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter

from services.messaging.policies.records import Channel
from shared.contracts.customer import ConsentState

_CONSENTS = TypeAdapter(tuple[ConsentState, ...])


@dataclass(frozen=True, slots=True)
class LastOrder:
    """The order placed last, whatever became of it; money in minor units of `currency`."""

    order_id: UUID
    number: str
    source: str
    status: str
    currency: str
    total_minor: int
    placed_at: datetime


@dataclass(frozen=True, slots=True)
class Recipient:
    """A customer as a message needs to know it: the record that stands for the person.

    `version` is how new what is known of the record is that was asked for. `member_ids` are all
    records of the person, `email_keys` the addresses of all of them.
    """

    customer_id: UUID
    version: int
    code: str
    stage: str
    name: str | None
    email: str | None
    phone: str | None
    locale: str | None
    preferred_channel: str | None
    value_tier: str
    orders_count: int
    consents: tuple[ConsentState, ...]
    member_ids: tuple[UUID, ...]
    email_keys: frozenset[str]
    restricted: bool = False
    last_order: LastOrder | None = None

    @property
    def addresses(self) -> Mapping[Channel, str | None]:
        """Where they can be reached, by channel."""
        return {"email": self.email}


_MADE = ("consents", "member_ids", "email_keys", "last_order")


def recipient_from(row: Mapping[str, Any]) -> Recipient:
    """A recipient from a joined row of both projections."""
    ordered = row["order_id"] is not None
    order = LastOrder(**{name: row[name] for name in LastOrder.__slots__}) if ordered else None
    plain = {n: row[n] for n in Recipient.__slots__ if n not in _MADE}
    return Recipient(
        **plain,
        consents=_CONSENTS.validate_python(row["consents"]),
        member_ids=tuple(row["member_ids"]),
        email_keys=frozenset({row["email_key"], *(row["other_keys"] or ())} - {None}),
        last_order=order,
    )
