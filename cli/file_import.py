"""Sending a file of customers to a running house, by its API, and following what becomes of it."""

import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import httpx

from cli.errors import OperatorError

Json = dict[str, Any]
Tell = Callable[[str, int, int | None], None]
"""Told what is being done, how far it is, and of how much."""

_PART: Final = 8 * 2**20
_PAUSE_SECONDS: Final = 0.3
_BUSY: Final = frozenset({"reading", "checking", "running", "undoing"})
_WORDS: Final = {"reading": "Reading", "checking": "Trying out", "running": "Taking in"}


class ImportRefused(OperatorError):
    """The house has not taken the file, and says why."""


class FileImport:
    """One import, as a client of the API."""

    def __init__(self, http: httpx.Client, *, tell: Tell) -> None:
        self._http = http
        self._tell = tell
        self._path = ""

    def send(self, file: Path, *, source: str, options: Json, reading: Json) -> Json:
        """Send a file and have it read. Raises ImportRefused."""
        wanted = {"file_name": file.name, "source": source, "options": options, "reading": reading}
        made = self._call("POST", "/v1/imports", json=wanted)
        self._path = f"/v1/imports/{made['id']}"
        sent, size = 0, file.stat().st_size
        for part in _parts(file):
            query = {"offset": sent, "complete": str(sent + len(part) >= size).lower()}
            self._call("PUT", f"{self._path}/file", content=part, params=query)
            sent += len(part)
            self._tell("Sending", sent, size)
        return self.settled()

    def map(self, mapping: Sequence[Json]) -> Json:
        """Say what columns hold. Raises ImportRefused."""
        return self._call("PATCH", self._path, json={"mapping": list(mapping)})

    def run(self, *, dry_run: bool, follow: bool) -> Json:
        """Have the rows taken in, or tried out. Raises ImportRefused."""
        self._call("POST", f"{self._path}/run", params={"dry_run": str(dry_run).lower()})
        return self.settled() if follow else self._call("GET", self._path)

    def settled(self) -> Json:
        """The import once nothing works on it any more. Raises ImportRefused when it failed."""
        while True:
            found = self._call("GET", self._path)
            if found["status"] not in _BUSY:
                break
            report = found["dry_run"] if found["status"] == "checking" else found["run"]
            done = found["rows"] if found["status"] == "reading" else (report or {}).get("rows", 0)
            total = None if found["status"] == "reading" else found["rows"]
            self._tell(_WORDS.get(str(found["status"]), "Working"), done, total)
            time.sleep(_PAUSE_SECONDS)
        if found["status"] == "failed":
            fault = found["error"] or {"code": "unknown", "row": None}
            place = f" (row {fault['row']})" if fault["row"] else ""
            raise ImportRefused(f"The file could not be taken in: {fault['code']}{place}")
        return found

    def outcomes(self, found: Json) -> bytes:
        """The file that says what became of every row."""
        return self._ask("GET", f"/v1/jobs/{found['job_id']}/result").content

    def _call(self, method: str, path: str, **options: Any) -> Json:
        told: Json = self._ask(method, path, **options).json()
        return told

    def _ask(self, method: str, path: str, **options: Any) -> httpx.Response:
        try:
            answer = self._http.request(method, path, **options)
        except httpx.HTTPError as error:
            raise ImportRefused(f"{self._http.base_url} does not answer: {error}") from error
        if answer.is_success:
            return answer
        raise ImportRefused(_refusal(answer))


def mapping_of(found: Json, given: Sequence[str]) -> list[Json]:
    """The suggested mapping with what the operator says of single columns: `Column=target`.

    `Column=` leaves a column out. Raises ImportRefused for what is no such thing.
    """
    mapping = {one["column"]: one for one in found["mapping"]}
    for one in given:
        column, sign, target = one.rpartition("=")
        if not sign or not column:
            raise ImportRefused(f"Write --map as Column=target, not {one}")
        mapping.pop(column, None)
        if target:
            mapping[column] = {"column": column, "target": target}
    return list(mapping.values())


def _parts(file: Path) -> Iterator[bytes]:
    with file.open("rb") as opened:
        part = opened.read(_PART)
        if not part:
            raise ImportRefused(f"{file} is empty")
        while part:
            yield part
            part = opened.read(_PART)


def _refusal(answer: httpx.Response) -> str:
    try:
        problem = answer.json()
        faults = "; ".join(f"{one['pointer']}: {one['detail']}" for one in problem["errors"])
        return f"{problem['title']}. {problem['detail']} {faults}".strip()
    except (ValueError, KeyError, TypeError):
        return f"The house answered {answer.status_code}"
