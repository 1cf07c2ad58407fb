"""Money: whole minor units of one currency, never a float.

`Money.parse` is the strict door for API clients, `Money.from_platform` the lenient one for what
e-commerce platforms send. The exponents are those of ISO 4217. CLDR's (which Babel carries) are
for display and differ: no decimals for the Iraqi dinar, where the standard has three.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal
from enum import StrEnum
from typing import Annotated, Final, Self

from babel.core import get_global
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationInfo, field_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from shared.bodies import Body

BIGINT_MIN: Final = -(2**63)
BIGINT_MAX: Final = 2**63 - 1

_DEFAULT_EXPONENT: Final = 2
_EXPONENTS: Final = {
    code: exponent
    for exponent, codes in {
        0: "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
        " ADP BYR ESP ITL LUF MGF TRL",  # The second row is out of use, and old orders hold it.
        3: "BHD IQD JOD KWD LYD OMR TND",
        4: "CLF UYW",
    }.items()
    for code in codes.split()
}
# Codes for metals, units of account, tests and "no currency": nobody is paid in them.
_NOT_MONEY: Final = frozenset(
    {"XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XEU", "XFO", "XFU"}
    | {"XPD", "XPT", "XRE", "XSU", "XTS", "XUA", "XXX"}
)

_CURRENCIES: Final[frozenset[str]] = frozenset(get_global("all_currencies")) - _NOT_MONEY

_MAX_TEXT: Final = 40
_STRICT: Final = re.compile(r"-?\d+(?:\.\d+)?", re.ASCII)
_PLATFORM: Final = re.compile(r"[+-]?(?:\d+(?:\.\d*)?|\.\d+)", re.ASCII)
# Wide enough that nothing is rounded but by us, on purpose.
_EXACT: Final = Context(prec=100, rounding=ROUND_HALF_EVEN)


class MoneyFault(StrEnum):
    """Why a value is not money; stable, so that an API answer can carry it as its code."""

    NOT_A_NUMBER = "money_not_a_number"
    FLOAT = "money_is_float"
    TOO_MANY_DECIMALS = "money_too_many_decimals"
    OUT_OF_RANGE = "money_out_of_range"
    UNKNOWN_CURRENCY = "money_unknown_currency"
    CURRENCY_MISMATCH = "money_currency_mismatch"


class MoneyError(ValueError):
    """A value that is not money, or two amounts that do not go together."""

    def __init__(self, fault: MoneyFault, message: str) -> None:
        super().__init__(message)
        self.fault = fault

    @property
    def code(self) -> str:
        """The fault as the stable code of an API error."""
        return self.fault.value


def currency_exponent(currency: str) -> int:
    """Return how many decimals `currency` (ISO 4217, capitals) has; MoneyError if unknown."""
    if currency not in _CURRENCIES:
        raise MoneyError(MoneyFault.UNKNOWN_CURRENCY, "The currency is not an ISO 4217 code")
    return _EXPONENTS.get(currency, _DEFAULT_EXPONENT)


@dataclass(frozen=True, slots=True)
class Money:
    """An exact amount: `amount_minor` whole minor units (xu, cents, fils) of `currency`.

    Every amount fits a PostgreSQL BIGINT. Arithmetic and order between two currencies raise.
    """

    amount_minor: int
    currency: str

    def __post_init__(self) -> None:
        currency_exponent(self.currency)
        if type(self.amount_minor) is not int:  # bool is an int, and float compares like one.
            raise MoneyError(MoneyFault.FLOAT, "Minor units are whole numbers")
        if not BIGINT_MIN <= self.amount_minor <= BIGINT_MAX:
            raise MoneyError(MoneyFault.OUT_OF_RANGE, "The amount does not fit 64 bits")

    @classmethod
    def zero(cls, currency: str) -> Self:
        """No money, in `currency`."""
        return cls(0, currency)

    @classmethod
    def parse(cls, text: str, currency: str) -> Self:
        """Read a plain decimal such as "1250000" or "-12.50".

        Raises MoneyError for anything else: more decimals than the currency has, a number instead
        of a string, an exponent, spaces, separators.
        """
        _refuse_number_types(text)
        if len(text) > _MAX_TEXT or not _STRICT.fullmatch(text):
            raise MoneyError(MoneyFault.NOT_A_NUMBER, "The amount is not a plain decimal")
        exponent = currency_exponent(currency)
        _, _, decimals = text.partition(".")
        if len(decimals) > exponent:
            raise MoneyError(
                MoneyFault.TOO_MANY_DECIMALS, f"{currency} has {exponent} decimals at most"
            )
        return cls._from_decimal(Decimal(text), currency)

    @classmethod
    def from_platform(cls, value: str | int | Decimal, currency: str) -> Self:
        """Read an amount in major units as a platform sends it: "398.00", "1250000.0000", 600000.

        Decimals that the currency does not have are rounded half to even; a lower-case currency
        code is accepted. Floats are refused: decode JSON with `parse_float=Decimal`.
        """
        if isinstance(value, float):
            raise MoneyError(MoneyFault.FLOAT, "Decode JSON numbers as Decimal, not as float")
        return cls._from_decimal(_platform_decimal(value), currency.strip().upper())

    @classmethod
    def _from_decimal(cls, value: Decimal, currency: str) -> Self:
        exponent = currency_exponent(currency)
        if value.adjusted() > len(str(BIGINT_MAX)):  # Spares writing out 10 ** 999_999.
            raise MoneyError(MoneyFault.OUT_OF_RANGE, "The amount does not fit 64 bits")
        minor = value.scaleb(exponent, _EXACT).to_integral_value(ROUND_HALF_EVEN, _EXACT)
        return cls(int(minor), currency)

    def decimal_string(self) -> str:
        """The amount in major units with all decimals of its currency: "12.50", "1250000"."""
        exponent = currency_exponent(self.currency)
        sign = "-" if self.amount_minor < 0 else ""
        digits = str(abs(self.amount_minor)).zfill(exponent + 1)
        whole, decimals = digits[: len(digits) - exponent], digits[len(digits) - exponent :]
        return f"{sign}{whole}.{decimals}" if decimals else f"{sign}{whole}"

    def allocate(self, weights: Sequence[int]) -> tuple[Self, ...]:
        """Split in proportion to `weights` so that the parts add up to the whole exactly.

        Largest remainder (Hamilton): each part is its exact share rounded down or up, nearest to
        the shares as a whole; equal remainders favour the earlier part. A negative amount is split
        as its positive is. Weights are not negative and not all zero, else ValueError.
        """
        total = sum(weights)
        if total <= 0 or min(weights) < 0:
            raise ValueError("Weights must not be negative, and one must be positive")
        sign = -1 if self.amount_minor < 0 else 1
        shares = [divmod(abs(self.amount_minor) * weight, total) for weight in weights]
        parts = [floor for floor, _ in shares]
        left_over = abs(self.amount_minor) - sum(parts)
        by_remainder = sorted(range(len(parts)), key=lambda i: shares[i][1], reverse=True)
        for index in by_remainder[:left_over]:
            parts[index] += 1
        return tuple(self._same(sign * part) for part in parts)

    @classmethod
    def total(cls, amounts: Iterable[Self], currency: str) -> Self:
        """The sum of `amounts`, all in `currency`; zero when there are none."""
        return sum(amounts, start=cls.zero(currency))

    def _same(self, amount_minor: int) -> Self:
        return type(self)(amount_minor, self.currency)

    def _minor_of(self, other: Self) -> int:
        if other.currency != self.currency:
            raise MoneyError(
                MoneyFault.CURRENCY_MISMATCH, f"{self.currency} does not go with {other.currency}"
            )
        return other.amount_minor

    def __add__(self, other: Self) -> Self:
        return self._same(self.amount_minor + self._minor_of(other))

    def __sub__(self, other: Self) -> Self:
        return self._same(self.amount_minor - self._minor_of(other))

    def __neg__(self) -> Self:
        return self._same(-self.amount_minor)

    def __mul__(self, count: int) -> Self:
        return self._same(self.amount_minor * count)

    def __lt__(self, other: Self) -> bool:
        return self.amount_minor < self._minor_of(other)

    def __le__(self, other: Self) -> bool:
        return self.amount_minor <= self._minor_of(other)

    def __gt__(self, other: Self) -> bool:
        return self.amount_minor > self._minor_of(other)

    def __ge__(self, other: Self) -> bool:
        return self.amount_minor >= self._minor_of(other)


def _refuse_number_types(value: object) -> None:
    # JSON is decoded at run time, so the annotation alone keeps no float out.
    if isinstance(value, float):
        raise MoneyError(MoneyFault.FLOAT, "An amount is a decimal string, not a float")
    if not isinstance(value, str):
        raise MoneyError(MoneyFault.NOT_A_NUMBER, "An amount is a decimal string")


def _platform_decimal(value: str | int | Decimal) -> Decimal:
    if isinstance(value, str):
        text = value.strip()
        if len(text) <= _MAX_TEXT and _PLATFORM.fullmatch(text):
            return Decimal(text)
    elif isinstance(value, Decimal) and value.is_finite():
        return value
    elif type(value) is int:
        return Decimal(value)
    raise MoneyError(MoneyFault.NOT_A_NUMBER, "The amount is not a decimal number")


def _known_currency(currency: str) -> str:
    try:
        currency_exponent(currency)
    except MoneyError as error:
        raise PydanticCustomError(error.code, "Not an ISO 4217 currency code") from error
    return currency


CurrencyCode = Annotated[
    str, Field(pattern="^[A-Z]{3}$", examples=["VND"]), AfterValidator(_known_currency)
]
"""An ISO 4217 code in capitals that somebody can be paid in."""

_EXAMPLE: Final[JsonDict] = {"amount": "1250000", "currency": "VND"}


class MoneyInput(Body):
    """An amount sent by a client: a decimal string with no more decimals than its currency has."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _EXAMPLE})

    # Before the amount, whose check needs it; so the error points at the field that is wrong.
    currency: CurrencyCode
    amount: Annotated[
        str, Field(pattern=r"^-?[0-9]+(\.[0-9]+)?$", max_length=_MAX_TEXT, examples=["1250000"])
    ]

    @field_validator("amount")
    @classmethod
    def _fits_the_currency(cls, amount: str, info: ValidationInfo) -> str:
        currency = info.data.get("currency")
        if currency is not None:
            try:
                Money.parse(amount, currency)
            except MoneyError as error:
                raise PydanticCustomError(error.code, "{reason}", {"reason": str(error)}) from error
        return amount

    def to_money(self) -> Money:
        """The amount as domain code reckons with it."""
        return Money.parse(self.amount, self.currency)


class MoneyRead(BaseModel):
    """An amount in an answer or an event: a decimal string with all decimals of its currency."""

    model_config = ConfigDict(frozen=True, json_schema_extra={"example": _EXAMPLE})

    amount: str
    currency: str

    @classmethod
    def of(cls, money: Money) -> Self:
        """The amount as the API shows it."""
        return cls(amount=money.decimal_string(), currency=money.currency)
