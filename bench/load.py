"""A lean closed-loop load generator: keep-alive connections, prepared bytes, one loop each."""

import asyncio
import itertools
import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Shot:
    """One prepared HTTP/1.1 request."""

    raw: bytes

    @classmethod
    def of(
        cls,
        method: str,
        url: str,
        *,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
    ) -> "Shot":
        parts = urlsplit(url)
        path = parts.path + (f"?{parts.query}" if parts.query else "")
        lines = [f"{method} {path} HTTP/1.1", f"host: {parts.netloc}"]
        lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
        if body or method != "GET":
            lines.append(f"content-length: {len(body)}")
        return cls("\r\n".join(lines).encode() + b"\r\n\r\n" + body)


@dataclass(frozen=True, slots=True)
class Result:
    """What a run of load showed."""

    requests: int
    seconds: float
    latencies: list[float]
    failures: int

    @property
    def per_second(self) -> float:
        return self.requests / self.seconds

    def percentile(self, percent: int) -> float:
        """Milliseconds that `percent` of the answers did not exceed."""
        return statistics.quantiles(self.latencies, n=100)[percent - 1] * 1000


async def fire(
    url: str,
    shots: Callable[[], Iterator[Shot]],
    *,
    concurrency: int = 16,
    seconds: float = 3.0,
) -> Result:
    """Send `shots` (repeated for ever) over `concurrency` connections for `seconds`."""
    parts = urlsplit(url)
    source = shots()
    latencies: list[float] = []
    failures = 0
    started = time.perf_counter()
    deadline = started + seconds

    async def connection() -> None:
        nonlocal failures
        reader, writer = await asyncio.open_connection(parts.hostname, parts.port)
        try:
            while (sent := time.perf_counter()) < deadline:
                writer.write(next(source).raw)
                status = await _read_answer(reader)
                latencies.append(time.perf_counter() - sent)
                failures += not 200 <= status < 300
        finally:
            writer.close()

    await asyncio.gather(*(connection() for _ in range(concurrency)))
    return Result(len(latencies), time.perf_counter() - started, latencies, failures)


async def _read_answer(reader: asyncio.StreamReader) -> int:
    head = await reader.readuntil(b"\r\n\r\n")
    status = int(head[9:12])
    lower = head.lower()
    at = lower.find(b"content-length:")
    if at >= 0:
        length = int(lower[at + 15 : lower.index(b"\r\n", at)])
        if length:
            await reader.readexactly(length)
    elif b"transfer-encoding: chunked" in lower:
        while (size := int(await reader.readline(), 16)) > 0:
            await reader.readexactly(size + 2)
        await reader.readline()
    return status


def always(shot: Shot) -> Callable[[], Iterator[Shot]]:
    """The same request again and again."""
    return lambda: itertools.repeat(shot)
