"""Importing files as a client of the API does it."""

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

import httpx

from shared.ids import TenantId
from shared.jobs.runner import JobRunner

Json = dict[str, Any]


def table(*rows: Sequence[object], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter).writerows(rows)
    return text.getvalue().encode()


class Importing:
    """One shop's imports, and the worker that does them."""

    def __init__(self, client: httpx.AsyncClient, runner: JobRunner, shop: TenantId) -> None:
        self.client = client
        self.runner = runner
        self.shop = shop

    async def send(self, content: bytes, *, file_name: str = "khach.csv", **given: Any) -> Json:
        """An import whose file has been sent."""
        answer = await self.client.post("/v1/imports", json={"file_name": file_name, **given})
        assert answer.status_code == 201, answer.text
        path = answer.headers["location"]
        answer = await self.client.put(f"{path}/file", content=content)
        assert answer.status_code == 200, answer.text
        sent: Json = answer.json()
        return sent

    async def read(self, content: bytes, **given: Any) -> Json:
        """An import whose file has been read."""
        sent = await self.send(content, **given)
        await self.work()
        return await self.get(sent)

    async def change(self, wanted: Json, **changes: Any) -> Json:
        answer = await self.client.patch(f"/v1/imports/{wanted['id']}", json=changes)
        assert answer.status_code == 200, answer.text
        await self.work()
        return await self.get(wanted)

    async def begin(self, wanted: Json, *, dry_run: bool = False) -> str:
        """Have it run; the path of its job."""
        query = {"dry_run": str(dry_run).lower()}
        answer = await self.client.post(f"/v1/imports/{wanted['id']}/run", params=query)
        assert answer.status_code == 202, answer.text
        return answer.headers["location"]

    async def run(self, wanted: Json, *, dry_run: bool = False) -> Json:
        """The import after it was run."""
        await self.begin(wanted, dry_run=dry_run)
        await self.work()
        return await self.get(wanted)

    async def take_in(self, content: bytes, **given: Any) -> Json:
        """The import of a file that was sent, read and run."""
        return await self.run(await self.read(content, **given))

    async def undo(self, wanted: Json) -> Json:
        answer = await self.client.post(f"/v1/imports/{wanted['id']}/undo")
        assert answer.status_code == 202, answer.text
        await self.work()
        return await self.get(wanted)

    async def work(self) -> None:
        """Have everything done that waits; on a busy machine that takes a worker several turns."""
        while True:
            await self.runner.go_on(self.shop.hex)
            waiting = await self.client.get("/v1/jobs", params={"status": "queued,running"})
            assert waiting.status_code == 200, waiting.text
            if not waiting.json()["data"]:
                return

    async def get(self, wanted: Json) -> Json:
        answer = await self.client.get(f"/v1/imports/{wanted['id']}")
        assert answer.status_code == 200, answer.text
        found: Json = answer.json()
        return found

    async def rows(self, wanted: Json, **query: str) -> list[Json]:
        """What became of the rows, page by page."""
        found: list[Json] = []
        cursor: Mapping[str, str] = {}
        while True:
            path = f"/v1/imports/{wanted['id']}/rows"
            answer = await self.client.get(path, params={"limit": 3, **query, **cursor})
            assert answer.status_code == 200, answer.text
            found += answer.json()["data"]
            following = answer.json()["next_cursor"]
            if following is None:
                return found
            cursor = {"cursor": following}

    async def outcomes(self, wanted: Json) -> list[Json]:
        """The outcome file of what was done last."""
        wanted = await self.get(wanted)
        answer = await self.client.get(f"/v1/jobs/{wanted['job_id']}/result")
        assert answer.status_code == 200, answer.text
        return list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"))))

    async def customers(self) -> list[Json]:
        """All customers, the oldest first."""
        answer = await self.client.get("/v1/customers", params={"limit": 200})
        assert answer.status_code == 200, answer.text
        data: list[Json] = answer.json()["data"]
        return sorted(data, key=lambda customer: customer["code"])


def counts(report: Json) -> tuple[int, int, int, int, int]:
    """Created, updated, unchanged, merged, invalid."""
    words = ("created", "updated", "unchanged", "merged", "invalid")
    return tuple(report[word] for word in words)  # type: ignore[return-value]
