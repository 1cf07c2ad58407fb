"""What a shop has marked as sensitive, planted everywhere, is read by nobody without `pii:read`."""

import secrets
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from gateway.access.scopes import GRANTABLE, Role
from shared.pii import PII_READ
from tests.isolation.bodies import Bodies, fresh
from tests.isolation.conftest import Neighbours
from tests.isolation.furnishing import Shop
from tests.isolation.operations import Description, Operation
from tests.isolation.requests import Sender
from tests.isolation.test_walk import NOTHING_FOREIGN
from tests.support.waiting import eventually

KEY = "diagnosis"
SHOWN_BY = {
    "auditLog.list",
    "customers.get",
    "customers.getByCode",
    "customers.list",
    "customers.listMerges",
    "customFields.listMisfits",
    "events.get",
    "events.list",
    "events.stream",
    "imports.listRows",
    "leadForms.getSubmission",
    "leadForms.listSubmissions",
    "merges.get",
    "merges.list",
    "segments.explain",
}
"""Where those see it who may: a walk that saw it nowhere would prove nothing."""


async def import_file(shop: Shop, content: str) -> str:
    """Take in a file of customers."""
    made = await shop.post("/v1/imports", {"file_name": "ill.csv"})
    path = f"/v1/imports/{made['id']}"
    assert (await shop.call("PUT", f"{path}/file", content=content)).is_success

    async def is_now(status: str) -> bool:
        return bool((await shop.get(path))["status"] == status)

    await eventually(lambda: is_now("ready"), seconds=30)
    await shop.post(f"{path}/run")
    await eventually(lambda: is_now("finished"), seconds=30)
    import_id: str = made["id"]
    return import_id


async def plant(shop: Shop, secret: str) -> dict[str, str]:
    """Say it of customers in every way that leaves a trace; where it is as well as in things."""
    things = shop.things
    words = {"vi": "Chẩn đoán"}
    diagnosis = {"key": KEY, "label": words, "sensitivity": "sensitive"}
    await shop.post("/v1/custom-fields", diagnosis)
    rule = {"field": f"attributes.{KEY}", "op": "exists"}
    segment = {"key": fresh("ill"), "name": {"vi": "Ốm", "en": "Ill"}, "rule": rule}
    things["segment"] = (await shop.post("/v1/segments", segment))["id"]
    for text in ("before", "after"):
        said = {"attributes": {KEY: f"{secret} {text}"}}
        path = f"/v1/customers/{things['customer']}"
        changed = await shop.call("PATCH", path, json=said)
        assert changed.is_success, changed.text

    first = await shop.post("/v1/customers", {"name": f"Twin {fresh('twin')}"})
    second = await shop.post("/v1/customers", {"name": f"Twin {fresh('twin')}", **said})
    merges = f"/v1/customers/{first['id']}/merges"
    merge = await shop.post(merges, {"customer_ids": [second["id"]]})

    # Some numbers of other prefixes are nobody's, and nobody is known again by them.
    phone = f"090{secrets.randbelow(10**7):07}"
    await import_file(shop, f"name,phone\nKnown,{phone}\n")
    head = f"name,phone,attributes.{KEY}"
    things["import"] = await import_file(shop, f"{head}\nKnown,{phone},{secret}\n")

    form = await shop.post(
        "/v1/lead-forms",
        {
            "name": "Form",
            "title": words,
            "fields": [{"name": "email", "required": True}],
            "own_fields": [{"key": KEY, "label": words}],
            "thank_you": words,
        },
    )
    entered = {"email": f"{fresh('ill')}@example.com", KEY: secret}
    path = f"/v1/lead-forms/{form['id']}/submissions"
    sent = await shop.post(path, {"entered": entered})
    things["lead_form"], things["lead_submission"] = form["id"], sent["id"]

    # A size that was said as words is no number: a misfit of a field that is marked later.
    number = {"key": fresh("m")[:10].replace("-", "_"), "type": "number", "label": words}
    said = {"attributes": {number["key"]: f"{secret} misfit"}}
    misfit = await shop.post("/v1/customers", {"name": "Misfit", **said})
    assert misfit["attributes"] == said["attributes"]
    made = await shop.post("/v1/custom-fields", {**number, "sensitivity": "sensitive"})
    things["custom_field"] = made["id"]
    return {"customer": first["id"], "merge": merge["id"]}


@dataclass
class Reader:
    """Asks for everything that can be read, and notes where the secret was told to whom."""

    sender: Sender
    secret: str
    seen: dict[str, set[str]] = field(default_factory=lambda: {"full": set(), "masked": set()})
    asked: int = 0

    async def read(
        self, operations: Iterable[Operation], credentials: Mapping[str, list[str]]
    ) -> None:
        for operation in operations:
            query = {"limit": "200"} if "limit" in operation.query else {}
            query |= {"after": "0"} if operation.id in {"events.list", "events.stream"} else {}
            for name, held in credentials.items():
                for credential in held:
                    sent = await self.sender.send(
                        operation, NOTHING_FOREIGN, {}, credential=credential, query=query
                    )
                    self.asked += 1
                    if self.secret in sent.answer.text:
                        self.seen[name].add(operation.id)


async def test_nobody_without_the_scope_reads_it_anywhere(
    neighbours: Neighbours, description: Description, http: httpx.AsyncClient
) -> None:
    shop, secret = neighbours.ours, fresh("secret").replace("-", "")
    before = dict(shop.things)
    elsewhere = await plant(shop, secret)

    async def told(path: str, **query: Any) -> list[Any]:
        rows: list[Any] = (await shop.get(path, **query))["data"]
        return [row for row in rows if secret in str(row)]

    await eventually(lambda: told("/v1/audit-log", limit=200), seconds=30)
    events = await eventually(
        lambda: told("/v1/events", limit=200, after=0, types="customer.updated"), seconds=30
    )
    explain = f"/v1/segments/{shop.things['segment']}/explain/{shop.things['customer']}"

    async def explained() -> bool:
        answer = await shop.call("GET", explain)
        return answer.is_success and secret in answer.text

    await eventually(explained, seconds=30)
    misfits = f"/v1/custom-fields/{shop.things['custom_field']}/misfits"
    await eventually(lambda: told(misfits), seconds=30)
    shop.things["event"] = events[-1]["id"]
    scopes = sorted(GRANTABLE - {PII_READ})
    made = await shop.post("/v1/api-keys", {"name": "Masked", "scopes": scopes})

    reading = [each for each in description.operations() if each.method == "get"]
    reader = Reader(Sender(http, shop, Bodies(description)), secret)
    credentials = {
        "full": [shop.credentials["api_key"]],
        "masked": [made["key"], shop.credentials[Role.ANALYST.value]],
    }
    await reader.read(reading, credentials)
    shop.things.update(elsewhere)
    await reader.read([each for each in reading if "/merges" in each.path], credentials)
    shop.things.update(before)
    assert reader.seen["masked"] == set()
    assert SHOWN_BY - reader.seen["full"] == set()
    assert reader.asked > 300


@pytest.mark.parametrize("asked", ["filter", "sort", "rule"])
async def test_nobody_without_the_scope_finds_it_out_by_asking(
    neighbours: Neighbours, asked: str
) -> None:
    shop = neighbours.ours
    key = fresh("k").replace("-", "_")
    marked = {"key": key, "label": {"vi": "Chẩn đoán"}, "sensitivity": "personal"}
    await shop.post("/v1/custom-fields", marked)
    scopes = ["customers:read", "segments:read", "segments:write"]
    made = await shop.post("/v1/api-keys", {"name": "Masked", "scopes": scopes})
    masked = {"authorization": f"Bearer {made['key']}"}

    async def refused() -> bool:
        if asked == "rule":
            rule = {"field": f"attributes.{key}", "op": "starts_with", "value": "a"}
            answer = await shop.http.post(
                "/v1/segments/preview", json={"rule": rule}, headers=masked
            )
        else:
            query = {f"attributes[{key}][begins]": "a"}
            query = query if asked == "filter" else {"sort": f"attributes.{key}"}
            answer = await shop.http.get("/v1/customers", params=query, headers=masked)
        assert answer.status_code in {200, 403}, answer.text
        return answer.status_code == 403 and answer.json()["missing_scopes"] == [PII_READ]

    await eventually(refused, seconds=30)
