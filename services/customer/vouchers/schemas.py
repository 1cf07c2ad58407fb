"""Vouchers as clients write and read them."""

from datetime import datetime
from typing import Annotated, Literal, Self
from uuid import UUID

from pydantic import BaseModel, Field, model_validator

from services.customer.vouchers.terms import LAWFUL_PERCENT, CappedBy, VoucherKind
from shared.bodies import Body
from shared.moments import Instant
from shared.money import CurrencyCode, MoneyInput, MoneyRead
from shared.text import NormalisedStr, TextRule
from shared.web.patches import NeverNull

MAX_CODES = 1000

TypedCode = Annotated[str, TextRule(max_length=40), Field(examples=["TET2027"])]
OwnCode = Annotated[
    str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{2,38}[A-Za-z0-9]$", examples=["TET2027"])
]
CodePrefix = Annotated[str, Field(pattern="^[A-Za-z0-9-]{1,12}$", examples=["HOAMAI-"])]
Count = Annotated[int, Field(ge=1, le=1_000_000_000)]
ValuePercent = Annotated[int, Field(ge=1, le=100)]
Reference = Annotated[str, TextRule(max_length=200)]


class VoucherCreate(Body):
    """What is promised. All amounts are in one currency."""

    name: NormalisedStr = Field(examples=["Giảm 20 % sinh nhật"])
    kind: VoucherKind
    currency: CurrencyCode = "VND"
    percent: Annotated[int, Field(ge=1, le=100)] | None = Field(
        default=None, description="`percent`: of the order"
    )
    value: MoneyInput | None = Field(
        default=None, description="`amount`: what is taken off; `gift`: what the gift is worth"
    )
    gift: NormalisedStr | None = Field(default=None, description="`gift`: what is given")
    max_discount: MoneyInput | None = Field(default=None, description="`percent`: never more")
    min_order: MoneyInput | None = Field(default=None, description="For orders from so much on")
    max_value_percent: ValuePercent | None = Field(
        default=LAWFUL_PERCENT,
        description=(
            "How much of an order it may be worth; preset to what Decree 81/2018/ND-CP, Art. 6"
            " allows. A discount is cut down to it, a gift refused. null for no such cap"
        ),
    )
    uses_per_code: Count | None = Field(default=1, description="null for as often as one likes")
    limit_per_customer: Count | None = Field(
        default=None, description="How often one person can use it, by whatever code"
    )
    limit_total: Count | None = Field(default=None, description="How often it can be used at all")
    active: bool = True
    valid_from: Instant | None = Field(default=None, description="Now, unless given")
    valid_until: Instant | None = None

    @model_validator(mode="after")
    def _as_its_kind(self) -> Self:
        amounts = [each for each in (self.value, self.max_discount, self.min_order) if each]
        if any(each.currency != self.currency for each in amounts):
            raise ValueError("All amounts of a voucher are in its currency")
        if any(each.amount.startswith("-") for each in amounts):
            raise ValueError("No amount of a voucher is below zero")
        has = (self.percent is not None, self.value is not None, self.gift is not None)
        if has != _NEEDS[self.kind]:
            raise ValueError(_NEEDED[self.kind])
        if self.kind == "amount" and self.value and not self.value.to_money().amount_minor:
            raise ValueError("An amount of nothing takes nothing off")
        if (self.percent or 0) > (self.max_value_percent or 100):
            raise ValueError("The percentage is above max_value_percent")
        if self.max_discount and self.kind != "percent":
            raise ValueError("Only a percentage has a max_discount")
        if self.valid_from and self.valid_until and self.valid_until <= self.valid_from:
            raise ValueError("valid_until comes after valid_from")
        return self


_NEEDS = {
    "percent": (True, False, False),
    "amount": (False, True, False),
    "gift": (False, True, True),
}
_NEEDED = {
    "percent": "A voucher of this kind has a percent, and no value and no gift",
    "amount": "A voucher of this kind has a value, and no percent and no gift",
    "gift": "A voucher of this kind has a gift and its value, and no percent",
}


class VoucherPatch(Body):
    """A change: what is absent stays as it is. What it is worth never changes."""

    name: Annotated[NormalisedStr | None, NeverNull()] = None
    active: Annotated[bool | None, NeverNull()] = None
    valid_from: Annotated[Instant | None, NeverNull()] = None
    valid_until: Instant | None = None
    limit_per_customer: Count | None = None


class VoucherRead(BaseModel):
    """What is promised."""

    id: UUID
    object: Literal["voucher"] = "voucher"
    name: str
    kind: VoucherKind
    currency: str
    percent: int | None
    value: MoneyRead | None
    gift: str | None
    max_discount: MoneyRead | None
    min_order: MoneyRead
    max_value_percent: int | None
    uses_per_code: int | None
    limit_per_customer: int | None
    limit_total: int | None
    left: int | None = Field(description="How often it can still be used, where that is limited")
    active: bool
    valid_from: datetime
    valid_until: datetime | None
    created_at: datetime
    updated_at: datetime
    version: int


class CodesCreate(Body):
    """Codes to be made: so many, one of your own choice, or one for each of some customers."""

    count: Annotated[int, Field(ge=1, le=MAX_CODES)] | None = None
    code: OwnCode | None = Field(default=None, description="However it is typed, case is ignored")
    customer_ids: Annotated[list[UUID], Field(min_length=1, max_length=MAX_CODES)] | None = Field(
        default=None, description="Who alone can use them"
    )
    prefix: CodePrefix | None = Field(default=None, description="What made codes begin with")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        ways = [self.count, self.code, self.customer_ids]
        if sum(way is not None for way in ways) != 1:
            raise ValueError("Name one of count, code and customer_ids")
        if self.customer_ids and len(set(self.customer_ids)) < len(self.customer_ids):
            raise ValueError("Each customer is named once")
        return self


class CodeRead(BaseModel):
    """A code that somebody has, or may have."""

    id: UUID
    object: Literal["voucher_code"] = "voucher_code"
    voucher_id: UUID
    code: str
    customer_id: UUID | None
    used: int
    created_at: datetime


class CodesCreated(BaseModel):
    """The codes that were made."""

    data: list[CodeRead]


class VoucherUse(Body):
    """A code in hand, and the order it is for."""

    code: TypedCode
    customer_id: UUID | None = Field(
        default=None, description="Who uses it; needed where somebody's uses are limited"
    )
    order_total: MoneyInput = Field(description="What the order costs without the voucher")
    reference: Reference | None = Field(default=None, examples=["HD-1001"])

    @model_validator(mode="after")
    def _not_negative(self) -> Self:
        if self.order_total.amount.startswith("-"):
            raise ValueError("An order costs nothing or more")
        return self


class VoucherQuote(BaseModel):
    """What a voucher would be worth on an order, now."""

    object: Literal["voucher_quote"] = "voucher_quote"
    voucher_id: UUID
    discount: MoneyRead
    payable: MoneyRead
    gift: str | None
    capped_by: CappedBy | None = Field(description="What kept the discount from being more")


class VoucherRedemptionRead(BaseModel):
    """A voucher that was used."""

    id: UUID
    object: Literal["voucher_redemption"] = "voucher_redemption"
    voucher_id: UUID
    code_id: UUID
    customer_id: UUID | None
    status: Literal["done", "cancelled"]
    order_total: MoneyRead
    discount: MoneyRead
    payable: MoneyRead
    reference: str | None
    created_at: datetime
    cancelled_at: datetime | None
