"""Addresses as clients write and read them."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Row

from services.customer.addresses.reading import Parts, Place, Scheme
from services.customer.addresses.units import Units
from services.customer.customers.schemas import Country
from shared.bodies import Body
from shared.pii import pii
from shared.text import Name, NormalisedStr, TextRule
from shared.web.patches import NeverNull

Label = Literal["home", "work", "shipping", "billing", "other"]
Raw = Annotated[
    str,
    TextRule(max_length=500, lines=True),
    Field(examples=["12 Lê Lợi, P. Bến Nghé, Q.1, TP.HCM"]),
]
PostalCode = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9 -]{1,11}$")]
PARTS: Final = ("street", "ward", "district", "province", "country", "postal_code")


class AddressFields(Body):
    """An address: as one text, which is taken apart, or in parts, which are taken as they are."""

    label: Label = "home"
    recipient_name: Name | None = Field(default=None, description="Who receives there, if another")
    recipient_phone: NormalisedStr | None = Field(
        default=None, description="Their number, as it was written", examples=["0912 345 678"]
    )
    company: NormalisedStr | None = None
    full_address: Raw | None = None
    street: NormalisedStr | None = Field(default=None, examples=["12 Lê Lợi"])
    ward: NormalisedStr | None = Field(default=None, examples=["Phường Bến Nghé"])
    district: NormalisedStr | None = Field(
        default=None, description="Until July 2025; there are none any more", examples=["Quận 1"]
    )
    city: NormalisedStr | None = Field(
        default=None, description="Where it is no unit of the country's", examples=["Austin"]
    )
    province: NormalisedStr | None = Field(default=None, examples=["TP. Hồ Chí Minh"])
    country: Country | None = None
    postal_code: PostalCode | None = None
    scheme: Scheme | None = Field(
        default=None,
        description="Whether the names are those of before July 2025 (`vn63`) or since (`vn34`), "
        "where they alone do not tell: Lâm Đồng was a smaller province",
    )
    is_primary: bool = False


class AddressCreate(AddressFields):
    """A new address."""

    @model_validator(mode="after")
    def _somewhere(self) -> Self:
        if not (self.full_address or any(getattr(self, part) for part in (*PARTS, "city"))):
            raise PydanticCustomError("empty_address", "Give full_address, or some of its parts")
        return self


class AddressPatch(AddressFields):
    """A change: what is absent stays as it is, `null` clears."""

    label: Annotated[Label | None, NeverNull()] = None  # type: ignore[assignment]
    is_primary: Annotated[bool | None, NeverNull()] = None  # type: ignore[assignment]


class UnitRead(BaseModel):
    """An administrative unit; a code means something only within its scheme."""

    code: str
    name: str


class OldUnitsRead(BaseModel):
    """Where it is among the units of before July 2025."""

    province: UnitRead | None
    district: UnitRead | None
    ward: UnitRead | None


class NewUnitsRead(BaseModel):
    """Where it is among the units of now."""

    province: UnitRead | None
    ward: UnitRead | None
    ward_is_certain: bool = Field(
        description="False where the old ward was split up: the ward is then the likeliest"
    )


class AddressRead(BaseModel):
    """An address of a customer, with its units in both schemes of Vietnam as far as known."""

    id: UUID
    object: Literal["address"] = "address"
    customer_id: UUID
    label: Label
    recipient_name: Annotated[str | None, pii("name")]
    recipient_phone: Annotated[str | None, pii("phone")]
    company: str | None
    full_address: Annotated[str | None, pii("address")]
    street: Annotated[str | None, pii("address")]
    ward: str | None
    district: str | None
    city: str | None
    province: str | None
    country: str | None
    postal_code: str | None
    scheme: Scheme | None
    vn63: OldUnitsRead | None
    vn34: NewUnitsRead | None
    is_primary: bool
    source: str | None = Field(
        description="The platform that tells of it; null for one that was added here",
        examples=["shopify:0199d6a2-b1c9-7e4f-9b1f-5d6c7a8e9f00"],
    )
    created_at: datetime
    updated_at: datetime
    version: int


class AddressList(BaseModel):
    """All addresses of a customer, the primary one first, then the newest."""

    data: list[AddressRead]


def parts_of(known: Mapping[str, Any]) -> Parts:
    """The parts in columns."""
    return Parts(**{part: known.get(part) for part in PARTS})


def codes_of(place: Place) -> dict[str, Any]:
    """The columns that say where an address is."""
    return {
        "vn63_province_code": place.old_province and place.old_province.code,
        "vn63_district_code": place.old_district_code,
        "vn63_ward_code": (place.old_ward and place.old_ward.code) or None,
        "vn34_province_code": place.new_province and place.new_province.code,
        "vn34_ward_code": place.new_ward and place.new_ward.code,
        "vn34_ward_is_certain": place.new_ward_is_certain,
    }


def address_read(row: Row[*tuple[Any, ...]], units: Units) -> AddressRead:
    """A row as clients read it, the names of its units beside their codes."""
    columns = dict(row._mapping)
    return AddressRead(**columns, vn63=_old(columns, units), vn34=_new(columns, units))


def _old(columns: Mapping[str, Any], units: Units) -> OldUnitsRead | None:
    code = columns["vn63_province_code"]
    if code is None:
        return None
    district = units.district_name(code, columns["vn63_district_code"])
    ward = units.old_wards.get(columns["vn63_ward_code"] or "")
    return OldUnitsRead(
        province=UnitRead(code=code, name=units.old_provinces[code].name),
        district=district and UnitRead(code=columns["vn63_district_code"], name=district),
        ward=ward and UnitRead(code=ward.code, name=ward.name),
    )


def _new(columns: Mapping[str, Any], units: Units) -> NewUnitsRead | None:
    code = columns["vn34_province_code"]
    if code is None:
        return None
    ward = units.new_wards.get(columns["vn34_ward_code"] or "")
    return NewUnitsRead(
        province=UnitRead(code=code, name=units.new_provinces[code].name),
        ward=ward and UnitRead(code=ward.code, name=ward.name),
        ward_is_certain=columns["vn34_ward_is_certain"],
    )
