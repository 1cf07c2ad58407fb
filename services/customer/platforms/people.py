"""What a platform says of a person, read with the house's eyes."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from services.customer.customers.identities import (
    Identity,
    distinct,
    email_identity,
    phone_identity,
    platform_identity,
    platform_scope,
)
from services.customer.customers.record import CustomerRecord
from services.customer.customers.says import Speaker
from shared.contracts.gateway import PlatformIdentity, PlatformOrigin
from shared.text import tidy

_MAX_NAME, _MAX_LINE, _MAX_ID, _MAX_TAG, _MAX_TAGS = 200, 255, 200, 64, 50
_MAX_WORDS, _MAX_ATTRIBUTES = 1000, 50
_TEXTS = ("name", "locale", "city", "province", "country")

# Nobody's own id on a platform: WooCommerce says 0 for a guest.
_NO_ID = frozenset({"", "0"})


@dataclass(frozen=True, slots=True)
class Person:
    """A person as one delivery tells of them: who they are, and what is said of them.

    `in_passing` when the delivery is about something else (an order): it then only fills gaps.
    """

    origin: PlatformOrigin
    said: PlatformIdentity
    identities: Sequence[Identity]
    at: datetime
    in_passing: bool

    def columns(self) -> dict[str, Any]:
        """What is known of a customer who is new."""
        return {
            **self._texts(),
            **self._contacts(),
            **self._facts(),
            "attributes": self._attributes(),
            "tags": self._tags(),
            "source": self.origin.source,
        }

    @property
    def speaker(self) -> Speaker:
        """Who says it, and since when it is so."""
        scope = platform_scope(self.origin.source, self.origin.connection_id)
        return Speaker(scope, self.at)

    def said_of(self, before: CustomerRecord) -> dict[str, Any]:
        """What is said of a customer who is known. What a platform leaves out stays."""
        told = {**self._texts(), **self._contacts(), **self._facts()}
        said = self._attributes()
        if self.in_passing:
            told = {name: new for name, new in told.items() if getattr(before, name) is None}
            said = {name: new for name, new in said.items() if name not in before.attributes}
        if len({**before.attributes, **said}) > _MAX_ATTRIBUTES:
            return told
        return {**told, "attributes": said}

    def tags(self, before: CustomerRecord) -> list[str]:
        """The tags of a customer who is known: the platform's are added to what there is."""
        return list(dict.fromkeys([*before.tags, *self._tags()]))[:_MAX_TAGS]

    def marketing(self) -> dict[Literal["email", "sms"], Literal["granted", "withdrawn"]]:
        """What the platform knows of consent to advertising."""
        answers = {"email": self.said.email_marketing, "sms": self.said.sms_marketing}
        return {channel: answer for channel, answer in answers.items() if answer is not None}  # type: ignore[misc]

    def _texts(self) -> dict[str, str]:
        texts = {
            name: tidy(
                getattr(self.said, name), max_length=_MAX_NAME if name == "name" else _MAX_LINE
            )
            for name in _TEXTS
        }
        return {name: text for name, text in texts.items() if text}

    def _facts(self) -> dict[str, Any]:
        facts = {"gender": self.said.gender, "birth_date": self.said.birth_date}
        return {name: fact for name, fact in facts.items() if fact is not None}

    def _attributes(self) -> dict[str, Any]:
        """What a platform knows of them and we have no field for."""
        words = {
            "company": tidy(self.said.company, max_length=_MAX_LINE),
            "note": tidy(self.said.note, max_length=_MAX_WORDS),
        }
        return {name: text for name, text in words.items() if text}

    def _contacts(self) -> dict[str, str]:
        return {i.kind: i.value for i in self.identities if i.kind in {"email", "phone"}}

    def _tags(self) -> list[str]:
        tags = (tidy(tag, max_length=_MAX_TAG) for tag in self.said.tags)
        return list(dict.fromkeys(tag for tag in tags if tag))[:_MAX_TAGS]


def person_of_customer(
    said: PlatformIdentity, origin: PlatformOrigin, *, at: datetime, region: str
) -> Person:
    """The person whom a delivery about a customer is about."""
    identities = identities_of(said, origin, region=region)
    return Person(origin, said, identities, at, in_passing=False)


def identities_of(
    said: PlatformIdentity, origin: PlatformOrigin, *, region: str
) -> Sequence[Identity]:
    """What a person is known by of whom a platform tells nothing else."""
    return distinct([_platform_id(said, origin), *_contacts(said, origin, region)])


def guests_of(orders: Sequence[str], origin: PlatformOrigin) -> Sequence[Identity]:
    """What people without an account are known by, of whom a platform names the orders."""
    return [_identity(f"guest:{order_id}", origin) for order_id in orders]


def person_of_order(
    said: PlatformIdentity | None,
    origin: PlatformOrigin,
    *,
    order_id: str,
    at: datetime,
    region: str,
) -> Person:
    """The buyer of an order.

    Who has no account there (a guest, a walk-in, nobody at all) is known by the order itself, as
    `guest:<order id>`: the order's later deliveries then lead to the same customer, and nobody is
    joined with somebody else for having typed the same address.
    """
    said = said or PlatformIdentity()
    own = _platform_id(said, origin) or _identity(f"guest:{order_id}", origin)
    identities = distinct([own, *_contacts(said, origin, region)])
    return Person(origin, said, identities, at, in_passing=True)


def _platform_id(said: PlatformIdentity, origin: PlatformOrigin) -> Identity | None:
    external_id = tidy(said.external_id, max_length=_MAX_ID)
    if external_id is None or external_id in _NO_ID:
        return None
    return _identity(external_id, origin)


def _identity(external_id: str, origin: PlatformOrigin) -> Identity:
    return platform_identity(
        external_id[:_MAX_ID], source=origin.source, connection_id=origin.connection_id
    )


def _contacts(said: PlatformIdentity, origin: PlatformOrigin, region: str) -> list[Identity | None]:
    country = (said.country or "").strip().upper()
    return [
        email_identity(
            said.email,
            source=origin.source,
            verified=said.email_verified,
            connection_id=origin.connection_id,
        ),
        phone_identity(
            said.phone,
            source=origin.source,
            region=country if len(country) == 2 else region,
            connection_id=origin.connection_id,
        ),
    ]
