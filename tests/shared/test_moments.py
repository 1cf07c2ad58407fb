"""Instants and days at the border."""

from datetime import UTC, date, datetime
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from shared.moments import Day, Instant

INSTANT = TypeAdapter[datetime](Instant)
DAY = TypeAdapter[date](Day)


@pytest.mark.parametrize(
    "written", ["2026-02-28T08:30:00Z", "2026-02-28T15:30:00+07:00", "2026-02-28 08:30Z"]
)
def test_an_instant_is_in_utc_whatever_its_offset(written: str) -> None:
    assert INSTANT.validate_python(written) == datetime(2026, 2, 28, 8, 30, tzinfo=UTC)
    assert INSTANT.validate_python(written).tzinfo is UTC


@pytest.mark.parametrize(
    "value",
    [
        "0.5",
        "1772267400",
        1772267400,
        True,
        "2026-02-28",
        "2026-02-28T08:30:00",  # whose?
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-02-30T00:00:00Z",
        "٢٠٢٦-02-28T08:30:00Z",
    ],
)
def test_what_is_no_instant_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        INSTANT.validate_python(value)


@pytest.mark.parametrize(
    "value", ["0", 0, 1.5, "2026-02-28T00:00:00", "1899-12-31", "2201-01-01", "2026-02-30"]
)
def test_what_is_no_day_is_refused(value: Any) -> None:
    with pytest.raises(ValidationError):
        DAY.validate_python(value)


def test_both_are_described_by_their_formats() -> None:
    assert INSTANT.json_schema() == {"type": "string", "format": "date-time"}
    assert DAY.json_schema() == {"type": "string", "format": "date"}
    assert DAY.validate_python("1990-02-28") == date(1990, 2, 28)
