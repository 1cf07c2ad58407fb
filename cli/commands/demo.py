"""`careloop demo`: the whole care loop, step by step, on a running installation or on its own."""

from typing import Annotated

import typer


def demo(
    as_json: Annotated[bool, typer.Option("--json", help="Print for machines")] = False,
) -> None:
    """Tell the care loop from an order to an answered survey. Exits 1 when a step fails.

    Uses the installation that is running here; without one, starts one for the story alone.
    """
    from cli.demo.performance import perform  # noqa: PLC0415  (loads what only it needs)

    raise typer.Exit(0 if perform(as_json=as_json) else 1)
