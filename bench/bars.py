"""What the chapters of `python -m bench` have measured, against what was asked of it."""

from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True, slots=True)
class Bar:
    """A figure and what it was to be: at most so much, or at least."""

    name: str
    figure: float
    bar: float
    unit: str = ""
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        return self.figure >= self.bar if self.at_least else self.figure <= self.bar


def show(bars: Iterable[Bar]) -> None:
    """One table of them all."""
    table = Table("bar", "figure", "asked", "", box=None)
    for bar in bars:
        sign = ">=" if bar.at_least else "<="
        told = "met" if bar.is_met else "[red]missed[/red]"
        figure, asked = (f"{value:,.{_places(bar.bar)}f}" for value in (bar.figure, bar.bar))
        table.add_row(bar.name, f"{figure} {bar.unit}", f"{sign} {asked} {bar.unit}", told)
    console = Console(highlight=False)
    console.print("\n[bold]bars[/bold]")
    console.print(table)


def _places(bar: float) -> int:
    return 2 if bar < 10 else 0
