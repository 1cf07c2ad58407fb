"""What clients may ask of customers, as parameters of a query or in a body."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Annotated, Any, Final, Literal, cast
from uuid import UUID

from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.customer.customers.profile import (
    Kind,
    Preference,
    PreferredChannel,
    Relation,
    TaxCode,
)
from services.customer.customers.record import Gender, Stage
from services.customer.customers.schemas import Country, Locale, Source, Tag
from services.customer.fields.filtering import Operator
from services.customer.tenants.shops import ValueTier
from shared.errors import FieldError, Invalid
from shared.moments import Day, Instant
from shared.text import NormalisedStr

ConsentCode = Literal[
    "marketing.email",
    "marketing.sms",
    "marketing.zalo",
    "marketing.call",
    "care.email",
    "care.sms",
    "care.zalo",
    "care.call",
]
Amount = Annotated[str, Field(pattern=r"^-?[0-9]{1,18}(\.[0-9]{1,4})?$", examples=["5000000"])]
Count = Annotated[int, Field(ge=0, le=2**31 - 1)]

Rating = Annotated[int, Field(ge=1, le=5)]
ProvinceCode = Annotated[str, Field(pattern=r"^[0-9]{2}$", examples=["79"])]

_ATTRIBUTE: Final = re.compile(
    r"attributes\[([a-z][a-z0-9_]{0,63})\](?:\[(eq|in|gte|gt|lte|lt|begins|exists)\])?"
)


def _codes(value: Any) -> Any:
    """One, several between commas, or the parameter several times."""
    if isinstance(value, str):
        value = [value]
    if isinstance(value, list):
        return [
            one for each in value for one in (each.split(",") if isinstance(each, str) else [each])
        ]
    return value


def _texts(value: Any) -> Any:
    """One, or the parameter several times: a text may have commas of its own."""
    return [value] if isinstance(value, str) else value


_ANY_OF: Final = BeforeValidator(_codes)
_ANY_TEXT_OF: Final = BeforeValidator(_texts)
_MANY: Final = Field(default=None, min_length=1, max_length=50)


class CustomerConditions(BaseModel):
    """Which customers; all that is given must hold, of lists one of the values."""

    stage: Annotated[list[Stage] | None, _ANY_OF] = _MANY
    kind: Annotated[list[Kind] | None, _ANY_OF] = _MANY
    relation: Annotated[list[Relation] | None, _ANY_OF] = _MANY
    source: Annotated[list[Source] | None, _ANY_OF] = _MANY
    owner_id: Annotated[list[UUID] | None, _ANY_OF] = Field(
        default=None, min_length=1, max_length=50, description="Of one of these members of staff"
    )
    has_owner: bool | None = None
    tag: Annotated[list[Tag] | None, _ANY_TEXT_OF] = Field(
        default=None, min_length=1, max_length=50, description="With one of these tags"
    )
    tag_all: Annotated[list[Tag] | None, _ANY_TEXT_OF] = Field(
        default=None, min_length=1, max_length=50, description="With all of these tags"
    )
    gender: Annotated[list[Gender] | None, _ANY_OF] = _MANY
    locale: Annotated[list[Locale] | None, _ANY_OF] = _MANY
    city: Annotated[list[NormalisedStr] | None, _ANY_TEXT_OF] = _MANY
    province: Annotated[list[NormalisedStr] | None, _ANY_TEXT_OF] = _MANY
    vn63_province: Annotated[list[ProvinceCode] | None, _ANY_OF] = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="Code of the province of the primary address, of the 63 until June 2025",
        examples=[["79"]],
    )
    vn34_province: Annotated[list[ProvinceCode] | None, _ANY_OF] = Field(
        default=None,
        min_length=1,
        max_length=50,
        description="Code of the province of the primary address, of the 34 since July 2025",
        examples=[["79"]],
    )
    country: Annotated[list[Country] | None, _ANY_OF] = _MANY
    value_tier: Annotated[list[ValueTier] | None, _ANY_OF] = _MANY
    occupation: Annotated[list[NormalisedStr] | None, _ANY_TEXT_OF] = _MANY
    position: Annotated[list[NormalisedStr] | None, _ANY_TEXT_OF] = _MANY
    preferences: Annotated[list[Preference] | None, _ANY_TEXT_OF] = Field(
        default=None, min_length=1, max_length=50, description="Who likes one of these"
    )
    preferred_channel: Annotated[list[PreferredChannel] | None, _ANY_OF] = _MANY
    rating: Annotated[list[Rating] | None, _ANY_OF] = _MANY
    rating_gte: Rating | None = None
    rating_lte: Rating | None = None
    tax_code: Annotated[list[TaxCode] | None, _ANY_OF] = _MANY
    income_at_least_gte: Amount | None = Field(
        default=None, description="Whose income is so much at least, in the shop's currency"
    )
    income_below_lte: Amount | None = Field(
        default=None, description="Whose income is less than this, in the shop's currency"
    )
    has_email: bool | None = None
    has_phone: bool | None = None
    consent: Annotated[list[ConsentCode] | None, _ANY_OF] = Field(
        default=None, min_length=1, max_length=8, description="Who has given all of these"
    )
    no_consent: Annotated[list[ConsentCode] | None, _ANY_OF] = Field(
        default=None, min_length=1, max_length=8, description="Who has not given all of these"
    )
    orders_count_gte: Count | None = None
    orders_count_lte: Count | None = None
    total_spent_gte: Amount | None = Field(default=None, description="In the shop's currency")
    total_spent_lte: Amount | None = None
    birth_month: Annotated[int, Field(ge=1, le=12)] | None = None
    birth_day: Annotated[int, Field(ge=1, le=31)] | None = Field(
        default=None, description="Of the month; with `birth_month` whose birthday it is"
    )
    birth_date_gte: Day | None = None
    birth_date_lt: Day | None = None
    first_order_at_gte: Instant | None = None
    first_order_at_lt: Instant | None = None
    last_order_at_gte: Instant | None = None
    last_order_at_lt: Instant | None = None
    last_interaction_at_gte: Instant | None = None
    last_interaction_at_lt: Instant | None = None
    created_from: Instant | None = None
    created_until: Instant | None = Field(default=None, description="Not included")
    updated_at_gte: Instant | None = None
    updated_at_lt: Instant | None = None

    @property
    def said(self) -> dict[str, Any]:
        """The conditions that were asked, by name."""
        names = sorted(self.model_fields_set & CustomerConditions.model_fields.keys())
        asked = {name: getattr(self, name) for name in names}
        return {name: value for name, value in asked.items() if value is not None}


_RENAMED: Final = {
    "created_from": "created_at[gte]",
    "created_until": "created_at[lt]",
    "tag_all": "tag[all]",
}


def parameter_of(name: str) -> str:
    """What a condition is called as a parameter of a query."""
    field, _, operator = name.rpartition("_")
    if operator in {"gte", "lte", "lt"}:
        return f"{field}[{operator}]"
    return _RENAMED.get(name, name)


class CustomerQuery(CustomerConditions):
    """The same as parameters of a query."""

    model_config = ConfigDict(alias_generator=parameter_of)


PARAMETERS: Final[Sequence[Mapping[str, Any]]] = [
    {
        "name": name,
        "in": "query",
        "required": False,
        "schema": {key: value for key, value in schema.items() if key != "description"},
        **({"description": schema["description"]} if "description" in schema else {}),
    }
    for name, schema in CustomerQuery.model_json_schema()["properties"].items()
]
"""The filters of a list, for the API's description.

They are read here and not by the framework, which looks for each of them in every request.
"""

_NOTHING: Final = CustomerConditions()
_NAMES: Final = frozenset(parameter["name"] for parameter in PARAMETERS)
_LISTS: Final = frozenset(
    parameter_of(name)
    for name, field in CustomerConditions.model_fields.items()
    if any(isinstance(each, BeforeValidator) for each in field.metadata)
)


def read_query(parameters: Iterable[tuple[str, str]]) -> CustomerConditions:
    """The conditions among the parameters of a query.

    Raises RequestValidationError, and Invalid for what can be one thing only and is said twice.
    """
    said: dict[str, Any] = {}
    for name, value in parameters:
        if name in _LISTS:
            said.setdefault(name, []).append(value)
        elif name in said:
            raise Invalid(errors=[FieldError(f"/query/{name}", "single", "One value is expected")])
        elif name in _NAMES:
            said[name] = value
    if not said:
        return _NOTHING
    try:
        return CustomerQuery.model_validate(said)
    except ValidationError as error:
        faults = [{**fault, "loc": ("query", *fault["loc"])} for fault in error.errors()]
        raise RequestValidationError(faults) from error


FieldQuestions = Mapping[str, Mapping[Operator, Sequence[Any]]]
"""What is asked of the shop's own fields, by key and operator."""


def field_questions(parameters: Iterable[tuple[str, str]]) -> FieldQuestions:
    """Those among the parameters of a query: `attributes[size][gte]=39`. Raises Invalid."""
    asked: dict[str, dict[Operator, list[Any]]] = {}
    for name, value in parameters:
        if not name.startswith("attributes"):
            continue
        read = _ATTRIBUTE.fullmatch(name)
        if read is None:
            detail = "Write it as attributes[key] or attributes[key][gte]"
            raise Invalid(errors=[FieldError(f"/query/{name[:100]}", "unknown_filter", detail)])
        key, operator = read.groups()
        named = cast("Operator", operator or "eq")
        asked.setdefault(key, {}).setdefault(named, []).append(value)
    return {key: _several(operators) for key, operators in asked.items()}


def _several(asked: dict[Operator, list[Any]]) -> Mapping[Operator, Sequence[Any]]:
    """Several values of one field are any of them."""
    listed = [one for text in asked.get("in", []) for one in text.split(",")]
    equal = asked.get("eq", [])
    if len(equal) > 1:
        listed, equal = [*listed, *equal], []
    others = {name: values for name, values in asked.items() if name not in {"eq", "in"}}
    return others | ({"eq": equal} if equal else {}) | ({"in": listed} if listed else {})
