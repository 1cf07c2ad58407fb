"""`make capabilities`: which rows of docs/capabilities.md have a passing test.

Runs the tests marked `@pytest.mark.capability(n)` and prints the table; `--missing` prints only
what is not done yet. Exits 1 when a marked test fails.
"""

import re
import sys
from collections import defaultdict
from pathlib import Path

import pytest
from rich.console import Console
from rich.table import Table

ROWS = re.compile(r"^\| (\d+) \| (.*) \|$", re.MULTILINE)
TABLE = Path(__file__).parent.parent / "docs" / "capabilities.md"


class Outcomes:
    """Collects, per row, the tests that do it and whether they passed."""

    def __init__(self) -> None:
        self.rows_of: dict[str, list[int]] = {}
        self.passed: defaultdict[int, list[str]] = defaultdict(list)
        self.failed: defaultdict[int, list[str]] = defaultdict(list)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list) -> None:
        marked = [item for item in items if item.get_closest_marker("capability")]
        config.hook.pytest_deselected(items=[item for item in items if item not in marked])
        items[:] = marked
        for item in marked:
            markers = item.iter_markers("capability")
            self.rows_of[item.nodeid] = [row for marker in markers for row in marker.args]

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call" or report.failed:
            target = self.passed if report.passed else self.failed
            for row in self.rows_of.get(report.nodeid, ()):
                target[row].append(report.nodeid)


def main(arguments: list[str]) -> int:
    outcomes = Outcomes()
    pytest.main(["-q", "--no-header"], plugins=[outcomes])
    rows = {int(number): text for number, text in ROWS.findall(TABLE.read_text(encoding="utf-8"))}
    done = {row for row in outcomes.passed if row not in outcomes.failed}
    table = Table("", "#", "capability", "test", box=None)
    for number, text in rows.items():
        if "--missing" in arguments and number in done:
            continue
        mark = "[green]✓" if number in done else "[red]✗" if number in outcomes.failed else "·"
        tests = outcomes.failed.get(number) or outcomes.passed.get(number, [])
        table.add_row(mark, str(number), text, "\n".join(tests))
    console = Console()
    console.print(table)
    console.print(f"{len(done)} of {len(rows)} rows have a passing test.")
    return 1 if outcomes.failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
