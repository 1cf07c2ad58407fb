"""What the security page points to is there."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "security.md").read_text()


def test_every_test_it_names_exists():
    named = set(re.findall(r"`(tests/[\w/]+\.py)`", PAGE))
    assert named
    assert [path for path in sorted(named) if not (ROOT / path).is_file()] == []


def test_every_row_of_the_top_ten_has_tests():
    rows = re.findall(r"^\| (API\d+) .*\|(.*)\|$", PAGE, re.MULTILINE)
    assert [name for name, _ in rows] == [f"API{number}" for number in range(1, 11)]
    assert all("tests/" in tests for _, tests in rows)
