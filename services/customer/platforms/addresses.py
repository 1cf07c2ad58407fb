"""What a platform says of where people live and have things sent to."""

from collections.abc import Mapping, Sequence
from typing import Final, cast, get_args

from services.customer.addresses.reading import VIETNAM
from services.customer.addresses.schemas import Label
from services.customer.addresses.told import ToldAddress, digest_of, written_in_one
from services.customer.addresses.units import read_name
from shared.contracts.gateway import PlatformAddress, PlatformIdentity, PlatformOrder
from shared.text import search_key, tidy

_MAX_NAME, _MAX_LINE, _MAX_ID, _MAX_ALL = 200, 255, 200, 500
_MOST: Final = 20
_COUNTRY_CODE: Final = 2
_NAMES_OF_VIETNAM: Final = frozenset({"viet nam", "vietnam"})


def addresses_of_customer(said: PlatformIdentity, *, region: str) -> tuple[ToldAddress, ...]:
    """The addresses of an account, each known by what the platform calls it."""
    account = tidy(said.external_id, max_length=_MAX_ID) or ""
    told = (
        _told(
            address,
            external_id=f"{account}/{address.external_id}" if address.external_id else None,
            label=_label(address.external_id) or "home",
            region=region,
        )
        for address in said.addresses[:_MOST]
    )
    return tuple(address for address in told if address is not None)


def addresses_of_order(order: PlatformOrder, *, region: str) -> tuple[ToldAddress, ...]:
    """Where an order goes and who pays it; a place is known again by what is said of it."""
    places: Sequence[tuple[Label, PlatformAddress | None]] = (
        ("shipping", order.shipping_address),
        *(("shipping", each) for each in order.further_shipping_addresses[:_MOST]),
        ("billing", None if _is_alike(order) else order.billing_address),
    )
    told = (
        _told(address, external_id=None, label=label, region=region)
        for label, address in places
        if address is not None
    )
    found = tuple(address for address in told if address is not None)
    by_account = addresses_of_customer(order.customer, region=region) if order.customer else ()
    return (*by_account, *found)


def _is_alike(order: PlatformOrder) -> bool:
    """Whether it is paid for by whom it goes to."""
    return order.billing_address == order.shipping_address


def _told(
    said: PlatformAddress, *, external_id: str | None, label: Label, region: str
) -> ToldAddress | None:
    country = _country(said.country)
    is_here = (country or region) == VIETNAM
    line = {
        name: tidy(getattr(said, name), max_length=_MAX_LINE)
        for name in ("street", "ward", "district", "city", "province", "postal_code")
    }
    line["country"] = VIETNAM if is_here else country
    if not any(line[name] for name in ("street", "ward", "district", "city")):
        return None  # A country is where many live.
    named = ("street", "ward", "district", "city", "province")
    parts = [line[name] for name in named if name != "city" or not (is_here and _is_double(line))]
    # The postal code stands before the country, as on an envelope; what is read begins at the end.
    written = written_in_one(*parts)
    end = [] if is_here else [line["postal_code"], tidy(said.country, max_length=_MAX_LINE)]
    full_address = ", ".join(part for part in (written, *end) if part)[:_MAX_ALL]
    return ToldAddress(
        external_id=external_id or f"said:{digest_of(search_key(full_address))}",
        label=label,
        full_address=full_address,
        parts={name: part for name, part in line.items() if name != "city"},
        city=line["city"],
        recipient_name=tidy(said.name, max_length=_MAX_NAME),
        recipient_phone=tidy(said.phone, max_length=_MAX_LINE),
        company=tidy(said.company, max_length=_MAX_LINE),
        is_default=said.is_default,
    )


def _is_double(line: Mapping[str, str | None]) -> bool:
    """Whether a city is the province or the district once more, in whatever way it is written."""
    others = {read_name(line[name] or "").key for name in ("province", "district")} - {""}
    return read_name(line["city"] or "").key in others


def _country(said: str | None) -> str | None:
    """A country by its two letters; None for a name that is not Vietnam's."""
    text = (tidy(said, max_length=_MAX_LINE) or "").strip()
    if search_key(text) in _NAMES_OF_VIETNAM:
        return VIETNAM
    return (
        text.upper() if len(text) == _COUNTRY_CODE and text.isascii() and text.isalpha() else None
    )


def _label(external_id: str | None) -> Label | None:
    """Platforms that have one address for each use call it by that."""
    return cast("Label", external_id) if external_id in get_args(Label) else None
