"""`make chaos SEEDS=30 SECONDS=60`: run after run, each told with the seed that repeats it.

`python -m tests.faults --first 17 --seeds 1` repeats the run of seed 17. Each third seed runs the
house in one process.
"""

import argparse
import asyncio
import json
import shutil
import sys
from pathlib import Path

from rich.console import Console
from rich.table import Table

from tests.faults.fleet import Topology
from tests.faults.run import Report, run_seed
from tests.faults.servers import FaultServers

_console = Console(highlight=False)


def topology_of(seed: int) -> Topology:
    """Two of three seeds in split topology."""
    return "all_in_one" if seed % 3 == 0 else "split"


def main() -> None:
    """Run the seeds; exit 1 when a promise was broken."""
    arguments = _arguments()
    servers = FaultServers.start()
    reports = []
    try:
        for seed in range(arguments.first, arguments.first + arguments.seeds):
            topology = arguments.topology or topology_of(seed)
            report = asyncio.run(
                run_seed(servers, seed=seed, topology=topology, seconds=arguments.seconds)
            )
            reports.append(report)
            _tell(report)
            if arguments.json:
                arguments.json.write_text(json.dumps([r.as_json() for r in reports], indent=1))
            if report.faults and arguments.keep:
                shutil.copytree(servers.folder, arguments.keep / f"seed_{seed}", ignore=_databases)
    finally:
        servers.stop()
    _console.print(_summary(reports))
    sys.exit(any(report.faults for report in reports))


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
