from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from babel.numbers import get_currency_precision, list_currencies
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.money import (
    BIGINT_MAX,
    BIGINT_MIN,
    Money,
    MoneyError,
    MoneyFault,
    MoneyInput,
    MoneyRead,
    currency_exponent,
)

currencies = st.sampled_from(["VND", "USD", "JPY", "KWD", "CLF", "EUR"])
money = st.builds(Money, st.integers(BIGINT_MIN, BIGINT_MAX), currencies)


def fault_of(call: Callable[[], object]) -> MoneyFault:
    with pytest.raises(MoneyError) as refusal:
        call()
    return refusal.value.fault


class TestExponents:
    @pytest.mark.parametrize(
        ("currency", "exponent"),
        [("VND", 0), ("JPY", 0), ("USD", 2), ("IDR", 2), ("TWD", 2), ("KWD", 3), ("CLF", 4)],
    )
    def test_are_those_of_iso_4217(self, currency: str, exponent: int) -> None:
        assert currency_exponent(currency) == exponent

    def test_differ_from_display_data_only_where_cldr_hides_decimals(self) -> None:
        known = [code for code in list_currencies() if not code.startswith("X")]
        differing = {c for c in known if currency_exponent(c) != get_currency_precision(c)}
        in_use = "AFN ALL IQD IRR KPW LAK LBP MGA MMK RSD SOS SYP YER"
        out_of_use = "MRO SLL STD TMM ZMK ZWD"
        assert differing == set(f"{in_use} {out_of_use}".split())

    @pytest.mark.parametrize("currency", ["vnd", "XXX", "XAU", "ABC", "", "VNDD", "₫"])
    def test_of_what_is_not_a_currency_are_refused(self, currency: str) -> None:
        assert fault_of(lambda: Money(1, currency)) is MoneyFault.UNKNOWN_CURRENCY


class TestParse:
    @pytest.mark.parametrize(
        ("text", "currency", "minor"),
        [
            ("1250000", "VND", 1_250_000),
            ("-1250000", "VND", -1_250_000),
            ("0", "VND", 0),
            ("-0", "VND", 0),
            ("12.5", "USD", 1_250),
            ("12.50", "USD", 1_250),
            ("-0.05", "USD", -5),
            ("1.234", "KWD", 1_234),
            ("007", "USD", 700),
            ("9223372036854775807", "VND", BIGINT_MAX),
            ("-9223372036854775808", "VND", BIGINT_MIN),
            ("-92233720368547758.08", "USD", BIGINT_MIN),
        ],
    )
    def test_reads_plain_decimals_exactly(self, text: str, currency: str, minor: int) -> None:
        assert Money.parse(text, currency) == Money(minor, currency)

    @pytest.mark.parametrize(
        ("text", "currency", "fault"),
        [
            ("1.5", "VND", MoneyFault.TOO_MANY_DECIMALS),
            ("1250000.00", "VND", MoneyFault.TOO_MANY_DECIMALS),
            ("1.005", "USD", MoneyFault.TOO_MANY_DECIMALS),
            (12.5, "USD", MoneyFault.FLOAT),
            (12, "USD", MoneyFault.NOT_A_NUMBER),
            (None, "USD", MoneyFault.NOT_A_NUMBER),
            ("", "USD", MoneyFault.NOT_A_NUMBER),
            (" 1", "USD", MoneyFault.NOT_A_NUMBER),
            ("1\n", "USD", MoneyFault.NOT_A_NUMBER),
            ("+1", "USD", MoneyFault.NOT_A_NUMBER),
            ("1.", "USD", MoneyFault.NOT_A_NUMBER),
            (".5", "USD", MoneyFault.NOT_A_NUMBER),
            ("1e3", "USD", MoneyFault.NOT_A_NUMBER),
            ("1,250", "USD", MoneyFault.NOT_A_NUMBER),
            ("1_000", "USD", MoneyFault.NOT_A_NUMBER),
            ("\u0661", "USD", MoneyFault.NOT_A_NUMBER),
            ("NaN", "USD", MoneyFault.NOT_A_NUMBER),
            ("Infinity", "USD", MoneyFault.NOT_A_NUMBER),
            ("9" * 5_000, "VND", MoneyFault.NOT_A_NUMBER),
            ("9223372036854775808", "VND", MoneyFault.OUT_OF_RANGE),
            ("92233720368547758.08", "USD", MoneyFault.OUT_OF_RANGE),
            ("1", "vnd", MoneyFault.UNKNOWN_CURRENCY),
        ],
    )
    def test_refuses_the_rest_and_says_why(
        self, text: Any, currency: str, fault: MoneyFault
    ) -> None:
        assert fault_of(lambda: Money.parse(text, currency)) is fault

    @given(money)
    def test_reads_back_what_decimal_string_wrote(self, amount: Money) -> None:
        text = amount.decimal_string()
        assert Money.parse(text, amount.currency) == amount
        assert Money.from_platform(text, amount.currency) == amount
        assert Fraction(text) == Fraction(
            amount.amount_minor, 10 ** currency_exponent(amount.currency)
        )


class TestFromPlatform:
    @pytest.mark.parametrize(
        ("value", "currency", "minor"),
        [
            ("398.00", "USD", 39_800),
            ("398", "usd", 39_800),
            ("25.0000", "USD", 2_500),
            ("1250000.00", "VND", 1_250_000),
            (" -600000.0000 ", "VND", -600_000),
            ("+1", "VND", 1),
            (".5", "USD", 50),
            ("5.", "USD", 500),
            (600_000, "VND", 600_000),
            (Decimal("13200000.0000"), "VND", 13_200_000),
            (Decimal("1E+3"), "VND", 1_000),
            ("0.5", "VND", 0),
            ("1.5", "VND", 2),
            ("2.5", "VND", 2),
            ("-2.5", "VND", -2),
            ("2.50000000000000000000000000000000001", "VND", 3),
            ("0.125", "USD", 12),
        ],
    )
    def test_reads_what_platforms_send(
        self, value: str | int | Decimal, currency: str, minor: int
    ) -> None:
        assert Money.from_platform(value, currency) == Money(minor, currency.upper())

    @pytest.mark.parametrize(
        ("value", "fault"),
        [
            (398.0, MoneyFault.FLOAT),
            (True, MoneyFault.NOT_A_NUMBER),
            (None, MoneyFault.NOT_A_NUMBER),
            ("", MoneyFault.NOT_A_NUMBER),
            (".", MoneyFault.NOT_A_NUMBER),
            ("1,250.00", MoneyFault.NOT_A_NUMBER),
            ("1_000", MoneyFault.NOT_A_NUMBER),
            ("nan", MoneyFault.NOT_A_NUMBER),
            ("0." + "0" * 5_000, MoneyFault.NOT_A_NUMBER),
            (Decimal("Infinity"), MoneyFault.NOT_A_NUMBER),
            (Decimal("1E+999999"), MoneyFault.OUT_OF_RANGE),
            (10**4_000, MoneyFault.OUT_OF_RANGE),
            ("92233720368547758.075", MoneyFault.OUT_OF_RANGE),
        ],
    )
    def test_refuses_what_is_no_amount(self, value: Any, fault: MoneyFault) -> None:
        assert fault_of(lambda: Money.from_platform(value, "USD")) is fault

    def test_a_vanishing_fraction_is_zero(self) -> None:
        assert Money.from_platform(Decimal("1E-999999"), "USD") == Money.zero("USD")

    @given(st.decimals(min_value=-(10**12), max_value=10**12, places=6), currencies)
    def test_rounds_half_to_even(self, value: Decimal, currency: str) -> None:
        exact = Fraction(value) * 10 ** currency_exponent(currency)
        assert Money.from_platform(value, currency).amount_minor == round(exact)
        text = f"{value:f}"
        assert Money.from_platform(text, currency) == Money.from_platform(value, currency)


class TestArithmetic:
    def test_adds_subtracts_negates_multiplies_and_orders(self) -> None:
        one, two = Money(100, "USD"), Money(200, "USD")
        assert one + two == Money(300, "USD")
        assert one - two == Money(-100, "USD") == -one
        assert one * 3 == Money(300, "USD")
        assert one < two
        assert one <= two
        assert two > one
        assert two >= one
        assert sorted([two, one]) == [one, two]
        assert Money.total([one, two], "USD") == Money(300, "USD")
        assert Money.total([], "VND") == Money.zero("VND")

    @pytest.mark.parametrize(
        "operation",
        [
            lambda a, b: a + b,
            lambda a, b: a - b,
            lambda a, b: a < b,
            lambda a, b: a <= b,
            lambda a, b: a > b,
            lambda a, b: a >= b,
            lambda a, b: Money.total([a, b], "VND"),
        ],
    )
    def test_never_mixes_currencies(self, operation: Callable[[Money, Money], object]) -> None:
        mixed = fault_of(lambda: operation(Money(1, "VND"), Money(1, "USD")))
        assert mixed is MoneyFault.CURRENCY_MISMATCH

    def test_equal_numbers_of_two_currencies_are_not_equal(self) -> None:
        assert Money(1, "VND") != Money(1, "USD")

    @pytest.mark.parametrize("amount", [BIGINT_MAX + 1, BIGINT_MIN - 1])
    def test_never_leaves_64_bits(self, amount: int) -> None:
        assert fault_of(lambda: Money(amount, "VND")) is MoneyFault.OUT_OF_RANGE
        assert (
            fault_of(lambda: Money(BIGINT_MAX, "VND") + Money(1, "VND")) is MoneyFault.OUT_OF_RANGE
        )

    @pytest.mark.parametrize("amount", [1.0, True, Decimal(1), "1"])
    def test_minor_units_are_ints(self, amount: Any) -> None:
        assert fault_of(lambda: Money(amount, "VND")) is MoneyFault.FLOAT
        assert fault_of(lambda: Money(1, "VND") * 1.5) is MoneyFault.FLOAT  # type: ignore[operator]


class TestAllocate:
    @pytest.mark.parametrize(
        ("amount", "weights", "parts"),
        [
            (100_000, [1, 1, 1], [33_334, 33_333, 33_333]),
            (-100_000, [1, 1, 1], [-33_334, -33_333, -33_333]),
            (10, [0, 1], [0, 10]),
            (1, [1, 2], [0, 1]),
            (0, [3, 4], [0, 0]),
            (50_000, [199_000, 199_000, 10_000], [24_387, 24_387, 1_226]),
        ],
    )
    def test_parts_add_up_to_the_whole(
        self, amount: int, weights: list[int], parts: list[int]
    ) -> None:
        split = Money(amount, "VND").allocate(weights)
        assert [part.amount_minor for part in split] == parts

    @pytest.mark.parametrize("weights", [[], [0, 0], [1, -1], [3, -1]])
    def test_refuses_weights_that_say_nothing(self, weights: list[int]) -> None:
        with pytest.raises(ValueError, match="Weights"):
            Money(10, "VND").allocate(weights)

    @given(money, st.lists(st.integers(0, 10**15), min_size=1, max_size=20).filter(any))
    def test_each_part_is_its_share_up_to_one_unit(self, whole: Money, weights: list[int]) -> None:
        parts = whole.allocate(weights)
        assert Money.total(parts, whole.currency) == whole
        for part, weight in zip(parts, weights, strict=True):
            share = Fraction(whole.amount_minor * weight, sum(weights))
            assert abs(part.amount_minor - share) < 1

    @given(st.integers(0, 12), st.lists(st.integers(0, 9), min_size=1, max_size=3).filter(any))
    def test_no_other_split_is_nearer_to_the_shares(self, amount: int, weights: list[int]) -> None:
        shares = [Fraction(amount * weight, sum(weights)) for weight in weights]

        def distance(parts: tuple[int, ...]) -> Fraction:
            return sum((abs(p - s) ** 2 for p, s in zip(parts, shares, strict=True)), Fraction())

        splits = (s for s in product(range(amount + 1), repeat=len(weights)) if sum(s) == amount)
        parts = tuple(part.amount_minor for part in Money(amount, "VND").allocate(weights))
        assert distance(parts) == min(map(distance, splits))


class TestApiModels:
    def test_input_becomes_money_and_money_becomes_output(self) -> None:
        sent = MoneyInput.model_validate_json('{"amount": "1250000", "currency": "VND"}')
        assert sent.to_money() == Money(1_250_000, "VND")
        answered = MoneyRead.of(Money(1_250, "USD"))
        assert answered.model_dump() == {"amount": "12.50", "currency": "USD"}

    @pytest.mark.parametrize(
        ("body", "field", "code"),
        [
            ({"amount": "1.5", "currency": "VND"}, "amount", "money_too_many_decimals"),
            ({"amount": "9" * 20, "currency": "VND"}, "amount", "money_out_of_range"),
            ({"amount": "1e3", "currency": "VND"}, "amount", "string_pattern_mismatch"),
            ({"amount": 1.5, "currency": "USD"}, "amount", "string_type"),
            ({"amount": "1", "currency": "ABC"}, "currency", "money_unknown_currency"),
            ({"amount": "1", "currency": "vnd"}, "currency", "string_pattern_mismatch"),
            ({"amount": "1", "currency": "VND", "unit": "k"}, "unit", "extra_forbidden"),
        ],
    )
    def test_input_errors_name_the_field_and_a_code(
        self, body: dict[str, object], field: str, code: str
    ) -> None:
        with pytest.raises(ValidationError) as refusal:
            MoneyInput.model_validate(body)
        (error,) = refusal.value.errors()
        assert (error["loc"], error["type"]) == ((field,), code)

    def test_the_schemas_carry_a_real_example(self) -> None:
        for model in (MoneyInput, MoneyRead):
            example = model.model_json_schema()["example"]
            assert MoneyInput.model_validate(example).to_money() == Money(1_250_000, "VND")
