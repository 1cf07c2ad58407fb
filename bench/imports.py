"""`python -m bench.imports`: a file of customers through the API and the worker, row by row.

Beside it the least that any program could do: COPY of the same lines into one table. Prints rows
per second from the first byte sent to the last row taken in, and of the worker of the customer
service (the others rest meanwhile) the memory at its peak and the CPU time of a row.

A machine that others use, too, is now fast and now slow. So before and after the import the bare
program is asked how many rows it inserts one by one, and the bar is told as a part of the better of
both as well.
"""

import argparse
import asyncio
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import asyncpg
import httpx
from rich.console import Console
from rich.table import Table

from bench import requests
from bench.bars import Bar
from bench.cpu import cpu_seconds
from bench.load import fire
from bench.stage import Stage, open_stage
from cli.demo.client import Api, until
from cli.demo.shop import open_shop
from cli.processes import Children

BAR, BAR_MIB = 3_000, 300
# What the bare program inserted a second where the bar was set.
_BARE_INSERTS: Final = 4_000
_PART = 8 * 2**20
_SECONDS: Final = 4.0
_console = Console(highlight=False)
_HEAD = "Họ và tên,SĐT,Email,Ngày sinh,Địa chỉ,Giới tính,Nhóm,Mã hội viên\n"
_FAMILIES = ("Nguyễn", "Trần", "Lê", "Phạm", "Hoàng", "Đặng", "Bùi", "Vũ")
_NAMES = ("Văn Đức", "Thị Hương", "Minh Anh", "Thanh Tùng", "Ngọc Lan", "Quốc Bảo", "Thu Hà")
_PLACES = (
    "P. Bến Nghé, Q.1, TP.HCM",
    "Phường Hàng Bạc, Quận Hoàn Kiếm, Hà Nội",
    "Phường Phú Hội, TP Huế, Thừa Thiên Huế",
    "Hải Châu, Đà Nẵng",
)


@dataclass(frozen=True, slots=True)
class Taken:
    """How long it took, in seconds, and what it came to."""

    reading: float
    running: float
    counts: dict[str, Any]
    peak_mib: float
    cpu: float

    @property
    def seconds(self) -> float:
        """From the first byte sent to the last row taken in."""
        return self.reading + self.running


def main() -> None:
    """Entry point."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000)
    parser.add_argument("--again", action="store_true", help="run the same file a second time")
    wanted = parser.parse_args()
    measure(wanted.rows, again=wanted.again)


def measure(rows: int = 100_000, *, again: bool = False) -> list[Bar]:
    """The chapter of `python -m bench`."""
    with tempfile.TemporaryDirectory() as folder, open_stage() as stage:
        path = Path(folder) / "people.csv"
        write_people(path, rows)
        [first, *_], inserts = asyncio.run(_measure(stage, path, rows, again=again))
    speed = rows / first.seconds
    return [
        Bar(f"import of {rows:,} rows", speed, BAR, "rows/s", at_least=True),
        Bar("the same", speed / inserts, BAR / _BARE_INSERTS, "of bare inserts", at_least=True),
        Bar("memory of an import", first.peak_mib, BAR_MIB, "MiB"),
    ]


def write_people(path: Path, count: int) -> None:
    """So many rows, three in ten of somebody who is there already, the number written otherwise."""
    chance = random.Random(7)
    with path.open("w") as file:
        file.write(_HEAD)
        for number in range(count):
            known = number > 10 and chance.random() < 0.3
            file.write(_person(chance.randrange(number) if known else number, chance))


def _person(number: int, chance: random.Random) -> str:
    mobile = f"9{number % 100_000_000:08d}"
    phone = chance.choice((mobile, f"0{mobile}", f"+84 {mobile}", f"84{mobile}"))
    place = _PLACES[number % len(_PLACES)]
    name = f"{_FAMILIES[number % 8]} {_NAMES[number % 7]} {number}"
    email = f"khach.{number}@example.com" if number % 3 else ""
    born = f"{number % 28 + 1:02d}/{number % 12 + 1:02d}/{1950 + number % 50}"
    member = f"M{number}" if number % 2 else ""
    sex = "Nam" if number % 2 else "nữ"
    return f'{name},{phone},{email},{born},"{number} Lê Lợi, {place}",{sex},Sỉ;VIP,{member}\n'


async def _measure(
    stage: Stage, path: Path, rows: int, *, again: bool
) -> tuple[list[Taken], float]:
    bare, inserts = await _copy(stage.dsn, path), [await _inserts(stage)]
    with stage.house():
        async with httpx.AsyncClient(base_url=stage.base_url, timeout=60, trust_env=False) as http:
            with stage.worker():
                shop = await open_shop(http, operator_key=stage.operator_key, name="I", slug="imp")
                http.headers["authorization"] = f"Bearer {shop.api_key}"
                await until(
                    lambda: Api(http, shop.api_key).post("/v1/imports", {"file_name": "x.csv"}),
                    lambda made: made["id"],
                    what="the shop takes imports",
                )
            with _watched_worker(stage) as peak:
                # That it starts is no part of an import.
                first = Path(path).with_name("first.csv")
                write_people(first, 20)
                await _take_in(http, first, peak)
                taken = [await _take_in(http, path, peak)]
                inserts.append(await _inserts(stage))
                if again:
                    taken.append(await _take_in(http, path, peak))
    table = Table("what", "seconds", "rows/s", "of COPY", box=None)
    for title, seconds in [
        ("bare COPY", bare),
        *(
            (f"run {number}: {what}", spent)
            for number, run in enumerate(taken, 1)
            for what, spent in (
                ("sending and reading", run.reading),
                ("taking in", run.running),
                ("end to end", run.seconds),
            )
        ),
    ]:
        table.add_row(title, f"{seconds:.1f}", f"{rows / seconds:,.0f}", f"{bare / seconds:.3f}")
    _console.print(table)
    for run in taken:
        each = run.cpu / rows * 1e6
        _console.print(
            f"{run.counts}\nworker: {run.peak_mib:.0f} MiB at its peak (bar {BAR_MIB}), "
            f"{each:.0f} µs of CPU a row"
        )
    told = ", ".join(f"{each:,.0f}" for each in inserts)
    _console.print(
        f"bare inserts, before and after: {told}/s ({_BARE_INSERTS:,} where the bar was set)\n"
        f"bar {BAR:,} rows/s, {BAR / _BARE_INSERTS:.2f} of bare inserts"
    )
    return taken, max(inserts)


async def _inserts(stage: Stage) -> float:
    """How many rows the bare program takes a second, one by one."""
    url = f"{stage.bare_url}/rows"
    result = await fire(
        stage.bare_url, lambda: requests.customers(url, None, start=0), seconds=_SECONDS
    )
    return result.per_second


async def _copy(dsn: str, path: Path) -> float:
    """The same lines into a table without an index."""
    connection = await asyncpg.connect(dsn)
    names = [f"c{place}" for place in range(_HEAD.count(",") + 1)]
    columns = ", ".join(f"{name} text" for name in names)
    await connection.execute(f"CREATE UNLOGGED TABLE bare_people ({columns})")
    began = time.perf_counter()
    await connection.copy_to_table("bare_people", source=path, format="csv", header=True)
    seconds = time.perf_counter() - began
    await connection.execute("DROP TABLE bare_people")
    await connection.close()
    return seconds


async def _take_in(http: httpx.AsyncClient, path: Path, peak: "_Peak") -> Taken:
    began, before = time.perf_counter(), peak.cpu_seconds()
    made = (await http.post("/v1/imports", json={"file_name": "x.csv", "source": "pos"})).json()
    url, sent = f"/v1/imports/{made['id']}", 0
    for part, is_last in _parts(path):
        query: dict[str, str | int] = {"offset": sent, "complete": str(is_last).lower()}
        answer = await http.put(f"{url}/file", content=part, params=query)
        answer.raise_for_status()
        sent += len(part)
    await _settled(http, url, "ready", peak)
    read = time.perf_counter()
    answer = await http.post(f"{url}/run")
    answer.raise_for_status()
    found = await _settled(http, url, "finished", peak)
    ended = time.perf_counter()
    counts = {name: value for name, value in found["run"].items() if isinstance(value, int)}
    spent = peak.cpu_seconds() - before
    return Taken(read - began, ended - read, counts, peak.mib, spent)


def _parts(path: Path) -> Iterator[tuple[bytes, bool]]:
    with path.open("rb") as file:
        part = file.read(_PART)
        while part:
            following = file.read(_PART)
            yield part, not following
            part = following


async def _settled(http: httpx.AsyncClient, url: str, status: str, peak: "_Peak") -> Any:
    while True:
        found = (await http.get(url)).json()
        peak.look()
        if found["status"] == status:
            return found
        if found["status"] in {"failed", "cancelled"}:
            raise RuntimeError(found)
        await asyncio.sleep(0.2)


class _Peak:
    """The most memory that the worker had in its hands."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self.mib = 0.0

    def cpu_seconds(self) -> float:
        """What it has spent so far."""
        return cpu_seconds(self._children.pids)

    def look(self) -> None:
        """Take note of what it has now."""
        for pid in self._children.pids:
            lines = Path(f"/proc/{pid}/status").read_text().splitlines()
            told = {name: rest for name, _, rest in (line.partition(":") for line in lines)}
            self.mib = max(self.mib, int(told["VmHWM"].split()[0]) / 1024)


@contextmanager
def _watched_worker(stage: Stage) -> Iterator[_Peak]:
    children = Children(stage.installation.environment)
    try:
        children.start("worker", ["worker", "--part", "customer"])
        yield _Peak(children)
    finally:
        children.stop()


if __name__ == "__main__":
    main()
