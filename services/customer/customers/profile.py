"""What is known of a person or an organisation besides how to reach them.

Kept as one JSON object that has only what is known, in the form of the API: hot statements carry
one column, and a field more is no migration.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal
from zoneinfo import available_timezones

from pydantic import AfterValidator, BaseModel, Field, StringConstraints, model_validator
from pydantic_core import PydanticCustomError

from services.customer.customers.lunar import LunarBirthday
from shared.bodies import Body
from shared.money import CurrencyCode, Money
from shared.pii import pii
from shared.text import NormalisedStr, TextRule

Kind = Literal["person", "organisation"]
Relation = Literal[
    "customer",
    "partner",
    "supplier",
    "manufacturer",
    "distributor",
    "retailer",
    "employee",
    "investor",
    "other",
]
"""What they are to the shop. Only customers are sent advertising without having asked for it."""

PreferredChannel = Literal["email", "sms", "zalo", "call"]
Honorific = Annotated[str, TextRule(max_length=40), Field(examples=["anh"])]
Preference = Annotated[str, TextRule(max_length=100)]
_ZONES: Final = available_timezones()


def _known_zone(name: str) -> str:
    if name not in _ZONES:
        raise PydanticCustomError("unknown_time_zone", "This is not a time zone of the IANA list")
    return name


TimeZone = Annotated[
    str, Field(max_length=64, examples=["Asia/Ho_Chi_Minh"]), AfterValidator(_known_zone)
]
TaxCode = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9./-]{1,31}$"),
    Field(examples=["0312345678"]),
]
_Amount = Annotated[str, Field(pattern=r"^[0-9]{1,15}(\.[0-9]+)?$", max_length=20)]


class IncomeBand(Body):
    """Income a month: `at_least` so much, and less than `below`. One of them may be left out."""

    currency: CurrencyCode
    at_least: _Amount | None = Field(default=None, examples=["10000000"])
    below: _Amount | None = Field(default=None, examples=["20000000"])

    @model_validator(mode="after")
    def _is_a_band(self) -> "IncomeBand":
        bounds = [
            Money.parse(bound, self.currency).amount_minor
            for bound in (self.at_least, self.below)
            if bound is not None
        ]
        if not bounds:
            raise PydanticCustomError("empty_band", "Give at_least, below or both")
        if bounds != sorted(set(bounds)):
            raise PydanticCustomError("empty_band", "at_least must be less than below")
        return self


class ProfileFields(Body):
    """The fields as clients write them."""

    kind: Kind = "person"
    relation: Relation = "customer"
    given_name: NormalisedStr | None = Field(
        default=None, description="What they are called by", examples=["Đức"]
    )
    honorific: Honorific | None = Field(default=None, description="Before the given name")
    birth_date_lunar: LunarBirthday | None = Field(
        default=None, description="With a year it also gives `birth_date`, unless that is told"
    )
    occupation: NormalisedStr | None = Field(default=None, examples=["Giáo viên"])
    position: NormalisedStr | None = Field(default=None, examples=["Trưởng phòng"])
    income_band: IncomeBand | None = None
    preferences: Annotated[list[Preference], Field(max_length=50)] | None = Field(
        default=None, description="What they like", examples=[["cà phê", "áo dài"]]
    )
    preferred_channel: PreferredChannel | None = Field(
        default=None, description="Where they would like to be spoken to"
    )
    time_zone: TimeZone | None = None
    rating: Annotated[int, Field(ge=1, le=5)] | None = Field(
        default=None, description="How the shop rates this customer, 5 being the best"
    )
    tax_code: TaxCode | None = Field(default=None, description="Mã số thuế, of whoever has one")


class PrimaryAddress(BaseModel):
    """Where a customer is first of all; codes as in their addresses."""

    street: Annotated[str | None, pii("address")] = None
    ward: str | None = None
    district: str | None = None
    city: str | None = None
    province: str | None = None
    country: str | None = None
    postal_code: str | None = None
    vn63_province_code: str | None = None
    vn63_district_code: str | None = None
    vn63_ward_code: str | None = None
    vn34_province_code: str | None = None
    vn34_province: str | None = None
    vn34_ward_code: str | None = None


class ProfileRead(BaseModel):
    """The fields as clients read them; what is not known is null."""

    kind: Kind
    relation: Relation
    given_name: Annotated[str | None, pii("name")] = None
    honorific: str | None = None
    birth_date_lunar: Annotated[LunarBirthday | None, pii("date")] = None
    occupation: str | None = None
    position: str | None = None
    income_band: Annotated[IncomeBand | None, pii("sensitive")] = None
    preferences: list[str] | None = None
    preferred_channel: PreferredChannel | None = None
    time_zone: str | None = None
    rating: int | None = None
    tax_code: Annotated[str | None, pii("words")] = None
    address: PrimaryAddress | None = Field(
        default=None, description="The primary one of their addresses"
    )


NESTED: Final = frozenset({"birth_date_lunar", "income_band"})
_COLUMNS: Final = frozenset({"kind", "relation"})
PROFILE_FIELDS: Final = tuple(name for name in ProfileRead.model_fields if name not in _COLUMNS)
NOTHING_KNOWN: Final[Mapping[str, Any]] = dict.fromkeys(PROFILE_FIELDS)


def nested_profile(given: ProfileFields) -> dict[str, Any]:
    """What a client has said that is more than one value, and what follows from it.

    A lunar birthday with its year is a day by the sun as well.
    """
    said: dict[str, Any] = {
        name: value and value.model_dump(exclude_none=True)
        for name in NESTED
        if name in given.model_fields_set
        for value in [getattr(given, name)]
    }
    solar = given.birth_date_lunar.solar() if given.birth_date_lunar else None
    return said if solar is None else {**said, "birth_date": solar}


def split_profile(said: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a client has said: of columns, and of the profile."""
    profile = {name: value for name, value in said.items() if name in NOTHING_KNOWN}
    return {name: value for name, value in said.items() if name not in NOTHING_KNOWN}, profile


def merged_profile(before: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What is known after a change: null clears."""
    return {name: value for name, value in {**before, **said}.items() if value is not None}
