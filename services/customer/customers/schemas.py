"""Customers as clients write and read them."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from operator import itemgetter
from typing import Annotated, Any, Final, Literal, Self
from uuid import UUID

from pydantic import (
    BaseModel,
    EmailStr,
    Field,
    StringConstraints,
    field_validator,
    model_validator,
)
from sqlalchemy import Row

from services.customer.customers.calendar import Calendar
from services.customer.customers.current_consents import consents_at
from services.customer.customers.identities import Standing
from services.customer.customers.identity_match import IdentifierKind
from services.customer.customers.profile import (
    NOTHING_KNOWN,
    Kind,
    ProfileFields,
    ProfileRead,
    Relation,
)
from services.customer.customers.record import COLUMNS, Gender, Stage
from services.customer.tenants.shops import ValueTier
from shared.bodies import Body
from shared.moments import Day
from shared.money import Money, MoneyRead
from shared.pii import pii
from shared.text import Name, NormalisedStr, TextRule
from shared.web.patches import NeverNull
from shared.web.resources import Page

Email = Annotated[EmailStr, Field(max_length=254, examples=["duc.nguyen@example.com"])]
PhoneText = Annotated[
    str,
    TextRule(max_length=64),
    Field(examples=["0912 345 678"], description="As people write it; stored in E.164"),
]
Locale = Annotated[
    str, StringConstraints(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8})*$", max_length=35)
]
Country = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$"), Field(examples=["VN"])]
Source = Annotated[
    str,
    StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.:-]{0,79}$"),
    Field(examples=["pos"], description="The system a record comes from"),
]
ExternalId = Annotated[str, TextRule(max_length=200), Field(examples=["7180345"])]
Tag = Annotated[str, TextRule(max_length=64), Field(examples=["VIP"])]
Tags = Annotated[list[Tag], Field(max_length=50)]
AttributeName = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,63}$")]
AttributeText = Annotated[str, TextRule(max_length=1000, min_length=0, lines=True)]
Number = Annotated[int, Field(ge=-(2**53), le=2**53)] | Annotated[float, Field(allow_inf_nan=False)]
AttributeValue = (
    bool | Number | AttributeText | Annotated[list[AttributeText], Field(max_length=50)] | None
)
Attributes = Annotated[
    dict[AttributeName, AttributeValue],
    Field(max_length=50, examples=[{"favourite_colour": "xanh", "shoe_size": 39}]),
]


class ExternalIdWrite(Body):
    """What another system knows the customer by; it belongs to one customer."""

    source: Source
    external_id: ExternalId


class CustomerFields(ProfileFields):
    """What a client may say of a customer."""

    name: Name | None = Field(default=None, examples=["Nguyễn Văn Đức"])
    email: Email | None = None
    phone: PhoneText | None = None
    email_verified: bool = Field(
        default=False, description="The address was confirmed; it then belongs to this customer"
    )
    phone_verified: bool = Field(
        default=False, description="The number was confirmed; it then belongs to this customer"
    )
    locale: Locale | None = Field(default=None, examples=["vi"])
    gender: Gender | None = None
    birth_date: Day | None = Field(default=None, examples=["1990-02-28"])
    city: NormalisedStr | None = Field(default=None, examples=["Thủ Đức"])
    province: NormalisedStr | None = Field(default=None, examples=["TP. Hồ Chí Minh"])
    country: Country | None = None
    owner_id: UUID | None = Field(
        default=None, description="The member of staff whose customer it is; null: nobody's"
    )
    tags: Tags = Field(default_factory=list)
    attributes: Attributes = Field(default_factory=dict)

    @field_validator("tags")
    @classmethod
    def _each_tag_once(cls, tags: list[str] | None) -> list[str] | None:
        return tags and list(dict.fromkeys(tags))


CAME_BACK: Final[Any] = Field(
    default=False,
    description="A person who was erased has come back of their own will: their external ids lead "
    "to somebody new, and are refused without this (409 `customer_erased`)",
)


class CustomerCreate(CustomerFields):
    """A new customer. At least a name, an e-mail address, a phone number or an external id."""

    stage: Stage = "lead"
    source: Source = "api"
    came_back: bool = CAME_BACK
    external_ids: Annotated[list[ExternalIdWrite], Field(max_length=20)] = Field(
        default_factory=list
    )

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if not (self.name or self.email or self.phone or self.external_ids):
            raise ValueError("Give a name, an email, a phone or an external id")
        return self


class CustomerPatch(CustomerFields):
    """A change: what is absent stays as it is, `null` clears. Attributes merge one by one."""

    tags: Tags | None = None  # type: ignore[assignment]
    attributes: Attributes | None = None  # type: ignore[assignment]
    stage: Annotated[Stage | None, NeverNull()] = None
    kind: Annotated[Kind | None, NeverNull()] = None  # type: ignore[assignment]
    relation: Annotated[Relation | None, NeverNull()] = None  # type: ignore[assignment]


class CustomerUpsert(CustomerPatch):
    """What another system knows of its customer; merges like a change, or makes a new customer."""

    came_back: bool = CAME_BACK


class Frequency(Body):
    """At most so many messages in so many days."""

    max_messages: Annotated[int, Field(ge=1, le=1000)]
    per_days: Annotated[int, Field(ge=1, le=31)]


def _is_unknown(value: object) -> bool:
    return value is None


class ConsentRead(BaseModel):
    """The current answer for one purpose on one channel."""

    purpose: Literal["marketing", "care", "profiling", "sharing"]
    channel: Literal["email", "sms", "zalo", "call", "any"]
    status: Literal["granted", "withdrawn", "expired"] = Field(
        description="`expired` is a yes whose `expires_at` has come: it counts no more"
    )
    changed_at: datetime
    expires_at: datetime | None = Field(
        default=None, exclude_if=_is_unknown, description="It counts until then"
    )
    frequency: Frequency | None = Field(
        default=None, exclude_if=_is_unknown, description="How often at most to write"
    )


class CustomerRead(ProfileRead):
    """A customer. Order figures count orders that are neither cancelled nor voided."""

    id: UUID
    object: Literal["customer"] = "customer"
    code: str = Field(examples=["KH000123"])
    stage: Stage
    name: Annotated[str | None, pii("name")] = Field(examples=["Nguyễn Văn Đức"])
    email: Annotated[str | None, pii("email")]
    phone: Annotated[str | None, pii("phone")] = Field(
        description="E.164", examples=["+84912345678"]
    )
    locale: str | None
    gender: Gender | None
    birth_date: Annotated[date | None, pii("date")]
    city: str | None
    province: str | None
    country: str | None
    source: str
    owner_id: UUID | None = Field(description="The member of staff whose customer it is")
    tags: list[str]
    attributes: Annotated[dict[str, Any], pii("attributes")]
    consents: list[ConsentRead]
    value_tier: ValueTier
    orders_count: int
    total_spent: MoneyRead = Field(description="Paid minus refunded")
    first_order_at: datetime | None
    last_order_at: datetime | None
    restricted_at: datetime | None = Field(
        default=None, description="Since when the person's data are kept and not used"
    )
    erased_at: datetime | None = Field(
        default=None, description="When the person was erased; what is left is nobody's"
    )
    removed_at: datetime | None = Field(
        default=None,
        description="When the import that brought them was taken back: they are in no list and no "
        "segment, unless something is heard of them again",
    )
    days_since_last_order: int | None = Field(
        description="Days of the shop's calendar: 0 today, 1 yesterday"
    )
    last_interaction_at: datetime | None = Field(
        description="The newest call, visit, message from them, ticket or answer to one"
    )
    days_since_last_interaction: int | None
    created_at: datetime
    updated_at: datetime
    version: int


class CustomerList(Page[CustomerRead]):
    """One page of customers; `next_cursor` is null on the last."""

    count: int | None = Field(default=None, description="How many there are, if it was asked")
    count_is_exact: bool | None = None


NOT_COUNTED: Final[Mapping[str, None]] = {"count": None, "count_is_exact": None}


_NOT_TOLD: Final = {"name_key", "search_key", "merged_into", "total_spent_minor", "currency"}
_TOLD: Final = tuple(name for name in COLUMNS if name not in {*_NOT_TOLD, "id", "profile"})
_told_of: Final = itemgetter(*map(COLUMNS.index, _TOLD))
_special_of: Final = itemgetter(
    *map(COLUMNS.index, ("id", "profile", "consents", "total_spent_minor", "currency")),
    *map(COLUMNS.index, ("last_order_at", "last_interaction_at")),
)


def customer_json(values: Sequence[Any], calendar: Calendar) -> dict[str, Any]:
    """A `CustomerRead` as plain data, of the values of a record or of a row that begins as one."""
    id_, said, consents, spent_minor, currency, *last = _special_of(values)
    last_order_at, last_interaction_at = last
    spent = Money(spent_minor, currency)
    return {
        "id": id_,
        "object": "customer",
        **dict(zip(_TOLD, _told_of(values), strict=True)),
        "consents": consents_at(consents, calendar.now),
        "total_spent": {"amount": spent.decimal_string(), "currency": currency},
        "days_since_last_order": calendar.days_since(last_order_at),
        "days_since_last_interaction": calendar.days_since(last_interaction_at),
        **NOTHING_KNOWN,
        **said,
    }


class ValidityRead(BaseModel):
    """A time in which something was a customer's."""

    valid_from: datetime | None
    valid_until: datetime


class IdentityRead(BaseModel):
    """Something a customer can be recognised by.

    A verified identity belongs to one customer and links records by itself; a claimed one may be
    anybody's. What has ended or is shared is claimed, whatever it was.
    """

    id: UUID
    object: Literal["identity"] = "identity"
    customer_id: UUID = Field(description="The record that has it, of a customer who is several")
    kind: IdentifierKind
    value: Annotated[str, pii("contact")] = Field(
        description="Normalised", examples=["+84395678945"]
    )
    original: Annotated[str, pii("contact")] = Field(
        description="As it came", examples=["01695678945"]
    )
    standing: Standing
    source: str
    connection_id: UUID | None
    shared: bool = Field(description="Several people have it, so it says nothing of any of them")
    valid_from: datetime | None = Field(description="Since when it is theirs, if that is known")
    valid_until: datetime | None = Field(description="Since when it is not theirs any more")
    earlier: list[ValidityRead] | None = Field(description="When it was theirs before")
    verified_at: datetime | None = Field(description="When it was proved, if it ever was")
    reason: Annotated[str | None, pii("words")] = Field(
        description="Why it is as it is, where somebody has decided"
    )
    created_at: datetime
    version: int


class IdentityList(BaseModel):
    """All identities of a customer, oldest first."""

    data: list[IdentityRead]


def identity_json(row: Row[*tuple[Any, ...]]) -> IdentityRead:
    """An identity as stored; a verified one without a time was so from the start."""
    was_verified = row.standing == "verified"
    verified_at = row.verified_at or (row.created_at if was_verified else None)
    return IdentityRead.model_validate({**row._mapping, "verified_at": verified_at})
