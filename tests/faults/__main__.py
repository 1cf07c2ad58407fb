"""`make chaos SEEDS=30 SECONDS=60`: run after run, each told with the seed that repeats it.

`python -m tests.faults --first 17 --seeds 1` repeats the run of seed 17. Each third seed runs the
house in one process.
"""

import argparse
import asyncio
import json
import shutil
import sys
import traceback
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.run import Report, run_seed
from tests.faults.servers import FaultServers
from tests.support.house import Topology

_console = Console(highlight=False)


def topology_of(seed: int) -> Topology:
    """Two of three seeds in split topology."""
    return "all_in_one" if seed % 3 == 0 else "split"


def main() -> None:
    """Run the seeds; exit 1 when a promise was broken."""
    arguments = _arguments()
    servers = FaultServers.start()
    reports, broken = [], 0
    try:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            report = _run(servers, seed, arguments)
            if report is None or report.faults:
                broken += 1
                _keep_logs(servers, seed, arguments.keep)
            if report is not None:
                reports.append(report)
                _tell(report)
            if arguments.json:
                arguments.json.write_text(json.dumps([r.as_json() for r in reports], indent=1))
    finally:
        servers.stop()
    _console.print(_summary(reports))
    _console.print(f"{arguments.seeds - broken} of {arguments.seeds} seeds kept every promise")
    sys.exit(broken > 0)


def _run(servers: FaultServers, seed: int, arguments: argparse.Namespace) -> Report | None:
    """The report on one seed; None when not even the driver survived it."""
    topology = arguments.topology or topology_of(seed)
    try:
        return asyncio.run(
            run_seed(servers, seed=seed, topology=topology, seconds=arguments.seconds)
        )
    except Exception:  # noqa: BLE001  (the other seeds have their own story)
        _console.print(f"seed {seed:3} {topology:10} [red]broke off[/red]")
        _console.print(traceback.format_exc(), markup=False)
        return None


def _keep_logs(servers: FaultServers, seed: int, keep: Path | None) -> None:
    if keep is not None:
        shutil.copytree(
            servers.folder, keep / f"seed_{seed}", ignore=_databases, dirs_exist_ok=True
        )


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=30)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--first", type=int, default=1, help="the first seed")
    parser.add_argument("--topology", choices=["split", "all_in_one"])
    parser.add_argument("--json", type=Path, help="write every finding here")
    parser.add_argument("--keep", type=Path, help="copy the logs of broken runs here")
    return parser.parse_args()


def _tell(report: Report) -> None:
    verdict = "[green]kept[/green]" if not report.faults else f"[red]{report.faults} faults[/red]"
    _console.print(
        f"seed {report.seed:3} {report.topology:10} {report.accepted:5} accepted in"
        f" {report.requests:5} requests, {sum(report.troubles.values()):3} troubles,"
        f" at rest after {report.settled_after:5.1f} s: {verdict}"
    )
    for finding in report.findings:
        for fault in finding.faults[:5]:
            _console.print(f"    [red]{finding.name}[/red]: {fault}", markup=True)


def _summary(reports: list[Report]) -> Table:
    table = Table("check", "examined", "faults", box=None)
    names = [finding.name for finding in reports[0].findings] if reports else []
    for name in names:
        found = [f for report in reports for f in report.findings if f.name == name]
        faults = sum(len(f.faults) for f in found)
        table.add_row(name, f"{sum(f.examined for f in found):,}", str(faults))
    return table


def _databases(_folder: str, names: list[str]) -> set[str]:
    return {name for name in names if not name.startswith("seed_") and not name.endswith(".log")}


if __name__ == "__main__":
    main()
