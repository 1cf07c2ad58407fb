"""What a customer can be recognised by, normalised so that one thing has one spelling."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal
from uuid import UUID

from services.customer.customers.identity_match import Identifier, IdentifierKind
from shared.ids import new_id
from shared.phone import normalise_phone
from shared.text import nfc, tidy

Standing = Literal["verified", "claimed"]

IDENTITY_COLUMNS = (
    "customer_id",
    "kind",
    "scope",
    "value",
    "id",
    "original",
    "standing",
    "source",
    "connection_id",
    "shared",
)

_MAX_EMAIL = 320
# Addresses that a platform, or whoever must fill in something, gives for everybody who gave none:
# they say nothing of anybody.
_NOBODYS = ("khongco", "khongcoemail", "khongcomail", "koco", "kocoemail", "noemail", "nomail")
_PLACEHOLDER_EMAILS = frozenset(
    {
        *("guest@haravan.com", "no-reply@haravan.com"),
        *(f"{name}@{domain}" for name in _NOBODYS for domain in ("gmail.com", "yahoo.com")),
        *("none@none.com", "no@no.com", "na@na.com", "noemail@noemail.com", "null@null.com"),
    }
)


@dataclass(frozen=True, slots=True)
class Identity:
    """A platform id, e-mail address or phone number; `original` is as it came.

    `scope` is what a platform id is unique within; e-mails and phones have the whole world.
    """

    kind: IdentifierKind
    value: str
    original: str
    standing: Standing
    source: str
    scope: str = ""
    connection_id: UUID | None = None
    shared: bool = False

    @property
    def key(self) -> tuple[str, str, str]:
        """What two holders of the same identity have in common."""
        return (self.kind, self.scope, self.value)

    @property
    def verified(self) -> bool:
        """Whether it links records by itself."""
        return self.standing == "verified"

    def claimed(self) -> "Identity":
        """The same, trusted no more."""
        return replace(self, standing="claimed")

    def of_several(self) -> "Identity":
        """The same, as one that several people share."""
        return replace(self, standing="claimed", shared=True)

    def identifier(self) -> Identifier:
        """The same for the decision whom a record belongs to."""
        return Identifier(self.kind, self.value, self.scope, verified=self.verified)

    def as_row(self, customer_id: UUID) -> dict[str, Any]:
        """The columns of a new row, but for tenant and time."""
        return {
            "customer_id": customer_id,
            "kind": self.kind,
            "scope": self.scope,
            "value": self.value,
            "id": new_id(),
            "original": self.original,
            "standing": self.standing,
            "source": self.source,
            "connection_id": self.connection_id,
            "shared": self.shared,
        }


def platform_scope(source: str, connection_id: UUID | None) -> str:
    """What a platform's ids are unique within: shops of one platform number customers alike."""
    return source if connection_id is None else f"{source}:{connection_id}"


def platform_identity(
    external_id: str, *, source: str, connection_id: UUID | None = None
) -> Identity:
    """The id that a platform (or another system of the shop) knows the person by."""
    return Identity(
        kind="platform_id",
        value=external_id,
        original=external_id,
        standing="verified",
        source=source,
        scope=platform_scope(source, connection_id),
        connection_id=connection_id,
    )


def email_identity(
    address: str | None, *, source: str, verified: bool = False, connection_id: UUID | None = None
) -> Identity | None:
    """An e-mail address as an identity; None when it is no address, or nobody's own."""
    value = normalise_email(address)
    if value is None or address is None:
        return None
    standing: Standing = "verified" if verified else "claimed"
    return Identity(
        "email", value, _as_sent(address), standing, source, connection_id=connection_id
    )


def phone_identity(
    number: str | None,
    *,
    source: str,
    region: str,
    verified: bool = False,
    connection_id: UUID | None = None,
) -> Identity | None:
    """A phone number as people write it in `region`, as an identity; None when it is none."""
    value = normalise_phone(number, region=region).e164 if number else None
    if value is None or number is None:
        return None
    standing: Standing = "verified" if verified else "claimed"
    return Identity("phone", value, _as_sent(number), standing, source, connection_id=connection_id)


def is_placeholder_email(address: str) -> bool:
    """Whether an address stands for having none."""
    return nfc(address.strip()).lower() in _PLACEHOLDER_EMAILS


def normalise_email(address: str | None) -> str | None:
    """An address to compare by: trimmed, NFC, lower case; None when it is none or a placeholder."""
    if address is None:
        return None
    value = nfc(address.strip()).lower()
    local, _, domain = value.rpartition("@")
    plausible = local and "." in domain and value.isprintable() and " " not in value
    if not plausible or len(value) > _MAX_EMAIL or is_placeholder_email(value):
        return None
    return value


def _as_sent(text: str) -> str:
    return tidy(text, max_length=_MAX_EMAIL) or ""


def distinct(identities: Iterable[Identity | None]) -> list[Identity]:
    """Each identity once; a verified mention wins over a claimed one."""
    found: dict[tuple[str, str, str], Identity] = {}
    for identity in identities:
        if identity is None:
            continue
        before = found.get(identity.key)
        if before is None or (identity.verified and not before.verified):
            found[identity.key] = identity
    return list(found.values())
