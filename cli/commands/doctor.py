"""`careloop doctor`: what is wrong, and what to do about it."""

import asyncio
import dataclasses
import json
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from cli.errors import InstallationUnusable
from cli.installation import Installation

if TYPE_CHECKING:
    from cli.doctor import Finding


def doctor(
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines")] = False,
) -> None:
    """Look for what is wrong with this installation. Exits 1 when something is."""
    from cli.doctor import Finding, examine  # noqa: PLC0415  (slow to load, as all it looks at)

    try:
        findings = asyncio.run(examine(Installation.open()))
    except InstallationUnusable as error:
        findings = [Finding("installation", False, error.fault, error.advice)]
    if as_json:
        typer.echo(json.dumps([dataclasses.asdict(finding) for finding in findings], indent=2))
    else:
        _show(findings)
    raise typer.Exit(0 if all(finding.ok for finding in findings) else 1)


def _show(findings: "list[Finding]") -> None:
    table = Table(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        mark = "[green]✓[/green]" if finding.ok else "[red]✗[/red]"
        table.add_row(mark, finding.check, finding.detail)
        if finding.advice:
            table.add_row("", "", f"[yellow]{finding.advice}[/yellow]")
    Console(highlight=False).print(table)
