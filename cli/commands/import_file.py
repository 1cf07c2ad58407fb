"""`careloop import`: customers from a file, through the API of a running house."""

import os
from pathlib import Path
from typing import Annotated, Any, Literal

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from cli.errors import OperatorError
from cli.installation import Installation

_WORDS = ("created", "updated", "unchanged", "merged", "invalid", "erased")


def import_file(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV or XLSX")],
    key: Annotated[
        str | None, typer.Option(help="An API key; by itself CARELOOP_API_KEY is taken")
    ] = None,
    url: Annotated[str | None, typer.Option(help="Of the house; by itself the one here")] = None,
    source: Annotated[str, typer.Option(help="Where the file comes from")] = "import",
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="Column=target; Column= leaves it out. Repeat for more"),
    ] = None,
    match_by: Annotated[
        list[str] | None,
        typer.Option(help="email or phone: enough to know a customer by. Repeat for both"),
    ] = None,
    existing: Annotated[
        Literal["update", "fill", "skip"], typer.Option(help="What becomes of known customers")
    ] = "update",
    encoding: Annotated[str | None, typer.Option(help="Where it is not found out")] = None,
    sheet: Annotated[str | None, typer.Option(help="Of a workbook; by itself the first")] = None,
    outcome: Annotated[
        Path | None, typer.Option(help="Where to write what became of every row")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would become of the rows")
    ] = False,
    watch: Annotated[bool, typer.Option(help="Stay until it is done")] = True,
) -> None:
    """Take in customers from a file, with a bar that shows how far it is."""
    import httpx  # noqa: PLC0415

    from cli.file_import import FileImport, mapping_of  # noqa: PLC0415

    token = key or os.environ.get("CARELOOP_API_KEY")
    if not token:
        raise OperatorError("Give an API key with imports:write: --key, or CARELOOP_API_KEY")
    options: dict[str, Any] = {"match_by": match_by or [], "existing": existing}
    asked = {"encoding": encoding, "sheet": sheet}
    reading = {name: value for name, value in asked.items() if value is not None}
    base_url = url or Installation.open().base_url
    headers = {"authorization": f"Bearer {token}"}
    console = Console(highlight=False, stderr=True)
    with (
        httpx.Client(base_url=base_url, headers=headers, timeout=60, trust_env=False) as http,
        Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            console=console,
        ) as progress,
    ):
        bar = progress.add_task("Sending", total=None)

        def tell(what: str, done: int, total: int | None) -> None:
            progress.update(bar, description=what, completed=done, total=total)

        run = FileImport(http, tell=tell)
        found = run.send(file, source=source, options=options, reading=reading)
        if mapping:
            found = run.map(mapping_of(found, mapping))
        found = run.run(dry_run=dry_run, follow=watch)
        report = found["dry_run"] if dry_run else found["run"]
        if report is not None:
            tell("Done", report["rows"], found["rows"])
        if outcome is not None and watch:
            outcome.write_bytes(run.outcomes(found))
    _show(found, report if watch else None)


def _show(found: dict[str, Any], report: dict[str, Any] | None) -> None:
    console = Console(highlight=False, markup=False)
    console.print(f"Import {found['id']}: {found['status']}")
    if report is None:
        return
    table = Table(*_WORDS, "possible duplicates")
    table.add_row(*(f"{report[word]:,}" for word in (*_WORDS, "possible_duplicates")))
    console.print(table)
    if report["problems"]:
        problems = Table("column", "problem", "rows", "first in row")
        for one in report["problems"]:
            row = (one["column"] or "", one["code"], f"{one['count']:,}", str(one["first_row"]))
            problems.add_row(*row)
        console.print(problems)
