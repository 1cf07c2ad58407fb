"""Taking an import back."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from services.customer.jobs import build_job_kinds
from services.customer.quality.tasks import QualitySweep
from shared.ids import TenantId
from shared.jobs.runner import JobRunner
from tests.customer.imports.shop import Importing, Json, table
from tests.support.harness import ServiceHarness

HEAD = ("Tên", "SĐT", "Mã hội viên", "Thành phố", "Nhóm", "Địa chỉ", "Nghề nghiệp", "Ghi chú")
LAN = ("Lan", "0912345678", "M1", "Huế", "VIP", "3 Lê Lợi, Huế", "Giáo viên", "Thích trà")


async def one(importing: Importing, customer_id: str) -> Json:
    answer = await importing.client.get(f"/v1/customers/{customer_id}")
    found: Json = answer.json()
    return found


def without_bookkeeping(customer: Json) -> Json:
    return {
        name: value for name, value in customer.items() if name not in ("updated_at", "version")
    }


async def test_whom_it_brought_is_emptied(importing: Importing) -> None:
    content = table(HEAD, LAN, *[(f"Khách {n}", f"09333333{n:02}") for n in range(6)])
    done = await importing.take_in(content, source="pos")
    people = await importing.customers()
    [lan, *_others] = people
    undone = await importing.undo(done)
    assert undone["status"] == "undone"
    assert [undone["undo"][word] for word in ("removed", "kept")] == [7, 0]
    assert await importing.customers() == []
    for each in people:
        customer = (await importing.client.get(f"/v1/customers/{each['id']}")).json()
        assert customer["removed_at"] is not None
        assert [customer[name] for name in ("name", "phone", "city", "address", "occupation")] == [
            None
        ] * 5
        assert (customer["tags"], customer["attributes"]) == ([], {})
    path = f"/v1/customers/{lan['id']}"
    for word in ("identities", "addresses", "notes"):
        found = (await importing.client.get(f"{path}/{word}")).json()["data"]
        assert found == [], word
    # Nothing leads to them: the same file brings new customers.
    again = await importing.take_in(content, source="pos")
    assert again["run"]["created"] == 7
    # Who is heard of again is somebody again.
    answer = await importing.client.patch(path, json={"name": "Lan"})
    assert (answer.json()["name"], answer.json()["removed_at"]) == ("Lan", None)
    assert len(await importing.customers()) == 8


async def test_whom_it_brought_is_counted_nowhere(
    importing: Importing, service: ServiceHarness, shop: TenantId
) -> None:
    async with service.client(shop, "customers:read", "quality:read", "reports:read") as client:
        done = await importing.take_in(table(HEAD, LAN, ("Bi", "0933333333")), source="pos")
        [lan, _] = await importing.customers()
        judging = QualitySweep(
            service.context.units, build_job_kinds(service.context), settled=timedelta()
        )
        await judging.keep_up_tenant(shop)
        figures = [
            (await client.get("/v1/care-loop-counts")).json()[name]
            for name in ("customers", "leads")
        ]
        report = (await client.get("/v1/quality/report")).json()
        assert (figures, report["customers"]) == ([2, 2], 2)
        await importing.undo(done)
        await judging.keep_up_tenant(shop)
        counts = (await client.get("/v1/care-loop-counts")).json()
        report = (await client.get("/v1/quality/report")).json()
        assert (counts["customers"], counts["leads"]) == (0, 0)
        assert report["customers"] == 0
        assert (await client.get(f"/v1/customers/{lan['id']}/quality")).status_code == 404
        found = await client.get("/v1/customers", params={"q": lan["code"]})
        assert found.json()["data"] == []
        by_code = await client.get(f"/v1/customers/by-code/{lan['code']}")
        assert by_code.json()["id"] == lan["id"]


@pytest.mark.capability(123)
async def test_the_whole_of_it(importing: Importing) -> None:
    """Tried out, run with its double rows, run again, taken back."""
    made = await importing.client.post(
        "/v1/customers",
        json={"name": "Lan", "external_ids": [{"source": "pos", "external_id": "M1"}]},
    )
    before = without_bookkeeping(made.json())
    twice = ("lan", "+84 912 345 678", "M1", "Vinh", "Sỉ")
    content = table(HEAD, LAN, ("Bi", "0933333333"), twice, ("Bi", "933333333"), ("", "x"))
    read = await importing.read(content, source="pos")
    tried = await importing.run(read, dry_run=True)
    figures = ("created", "updated", "unchanged", "merged", "invalid")
    assert [tried["dry_run"][word] for word in figures] == [1, 1, 0, 2, 1]
    done = await importing.run(read)
    assert [done["run"][word] for word in figures] == [1, 1, 0, 2, 1]
    assert [row["outcome"] for row in await importing.outcomes(done)] == [
        *("updated", "created", "merged", "merged", "invalid")
    ]
    state = await importing.customers()
    again = await importing.take_in(content, source="pos")
    assert [again["run"][word] for word in figures] == [0, 0, 2, 2, 1]
    assert await importing.customers() == state
    undone = await importing.undo(done)
    assert undone["status"] == "undone"
    assert without_bookkeeping(await one(importing, before["id"])) == before
    lines = {line["row"]: line["undone"] for line in await importing.outcomes(undone)}
    assert lines == {"4": "restored", "3": "removed", "2": "restored"}
    path = f"/v1/customers/{before['id']}/identities"
    identities = (await importing.client.get(path)).json()["data"]
    assert [one["value"] for one in identities] == ["M1"]


async def test_what_somebody_has_changed_since_stays(importing: Importing) -> None:
    made = await importing.client.post(
        "/v1/customers",
        json={"name": "Lan", "external_ids": [{"source": "pos", "external_id": "M1"}]},
    )
    path = f"/v1/customers/{made.json()['id']}"
    done = await importing.take_in(table(HEAD, LAN), source="pos")
    await importing.client.patch(path, json={"city": "Vinh", "tags": ["VIP", "Mới"]})
    undone = await importing.undo(done)
    assert undone["undo"]["partly"] == 1
    customer = await one(importing, made.json()["id"])
    assert (customer["city"], customer["phone"], customer["tags"]) == ("Vinh", None, ["Mới"])
    [line] = await importing.outcomes(undone)
    assert line["kept"] == "city"


async def test_whom_others_have_worked_with_stays(importing: Importing, shop: TenantId) -> None:
    rows = [(f"Khách {n}", f"09123456{n:02}") for n in range(3)]
    done = await importing.take_in(table(HEAD[:2], *rows))
    edited, spoken_to, _left = await importing.customers()
    await importing.client.patch(f"/v1/customers/{edited['id']}", json={"city": "Huế"})
    call = {"customer_id": spoken_to["id"], "kind": "call", "text": "Hẹn gặp"}
    answer = await importing.client.post("/v1/interactions", json=call)
    assert answer.status_code == 201, answer.text
    undone = await importing.undo(done)
    assert [undone["undo"][word] for word in ("removed", "kept")] == [1, 2]
    assert [one["name"] for one in await importing.customers()] == ["Khách 0", "Khách 1"]
    kept = [row["row"] for row in await importing.rows(done) if row["undone"] == "kept"]
    assert kept == [2, 3]


async def test_a_consent_that_is_taken_back_is_withdrawn(importing: Importing) -> None:
    head = ("Tên", "Email", "email marketing", "Ngày đồng ý", "Nội dung đồng ý")
    made = await importing.client.post(
        "/v1/customers",
        json={"name": "Lan", "external_ids": [{"source": "pos", "external_id": "M1"}]},
    )
    row = ("Lan", "lan@example.com", "yes", "01/03/2026", "Đồng ý", "M1")
    done = await importing.take_in(table((*head, "Mã hội viên"), row), source="pos")
    [customer] = await importing.customers()
    assert customer["consents"][0]["status"] == "granted"
    await importing.undo(done)
    path = f"/v1/customers/{made.json()['id']}/consents"
    told = (await importing.client.get(path)).json()
    assert told["current"][0]["status"] == "withdrawn"
    assert [one["status"] for one in told["data"]] == ["withdrawn", "granted"]


@pytest.mark.parametrize("page", [1, 2, 10])
async def test_who_is_in_several_rows_is_emptied_whatever_lies_between(
    importing: Importing, new_runner: Callable[..., JobRunner], page: int
) -> None:
    rows = [LAN[:3], ("Bi", "0933333333"), ("Na", "0944444444"), LAN]
    importing.runner = new_runner(page)
    done = await importing.take_in(table(HEAD, *rows), source="pos")
    undone = await importing.undo(done)
    assert [undone["undo"][word] for word in ("removed", "kept")] == [3, 0]
    assert await importing.customers() == []


async def test_one_that_was_stopped_goes_on(
    importing: Importing, new_runner: Callable[..., JobRunner], shop: TenantId
) -> None:
    made = await importing.client.post(
        "/v1/customers",
        json={"name": "Lan", "external_ids": [{"source": "pos", "external_id": "M1"}]},
    )
    before = without_bookkeeping(made.json())
    rows = [("Bi", "0933333333"), ("Na", "0944444444"), LAN, ("Mi", "0955555555")]
    done = await importing.take_in(table(HEAD, *rows), source="pos")
    importing.runner = new_runner(2)
    path = f"/v1/imports/{done['id']}"
    assert (await importing.client.post(f"{path}/undo")).status_code == 202
    assert await importing.runner.step(shop)
    assert (await importing.get(done))["undo"]["rows"] == 2
    assert (await importing.client.post(f"{path}/cancel")).is_success
    await importing.work()
    stopped = await importing.get(done)
    assert stopped["status"] == "finished"

    undone = await importing.undo(done)
    figures = ("removed", "restored", "partly", "kept")
    assert [undone["undo"][word] for word in figures] == [3, 1, 0, 0]
    lines = {line["row"]: line["undone"] for line in await importing.outcomes(undone)}
    assert lines == {"5": "removed", "4": "restored", "3": "removed", "2": "removed"}
    assert without_bookkeeping(await one(importing, before["id"])) == before


@pytest.mark.parametrize(
    ("since", "left", "kept"),
    [
        (["granted"], ["granted", "granted"], "consent.marketing.email"),
        (["withdrawn", "granted"], ["granted", "withdrawn", "granted"], "consent.marketing.email"),
        (["withdrawn"], ["withdrawn", "granted"], ""),
    ],
)
async def test_what_they_have_said_themselves_since_counts(
    importing: Importing, since: list[str], left: list[str], kept: str
) -> None:
    head = ("Tên", "email marketing", "Ngày đồng ý", "Nội dung đồng ý", "Mã hội viên")
    made = await importing.client.post(
        "/v1/customers",
        json={"name": "Lan", "external_ids": [{"source": "pos", "external_id": "M1"}]},
    )
    row = ("Lan", "yes", "01/03/2026", "Đồng ý", "M1")
    done = await importing.take_in(table(head, row), source="pos")
    path = f"/v1/customers/{made.json()['id']}/consents"
    for status in since:
        said = {"purpose": "marketing", "channel": "email", "status": status, "source": "web"}
        answer = await importing.client.post(path, json={**said, "proof": {"form": "tin"}})
        assert answer.status_code == 201, answer.text
    undone = await importing.undo(done)
    told = (await importing.client.get(path)).json()
    assert [one["status"] for one in told["data"]] == left
    assert told["current"][0]["status"] == left[0]
    [line] = await importing.outcomes(undone)
    assert line["kept"] == kept


@pytest.mark.parametrize("sources", ["erp erp", "erp pos", "erp erp erp", "erp pos erp"])
@pytest.mark.parametrize("order", ["oldest first", "newest first"])
async def test_several_of_one_source_are_taken_back_in_any_order(
    importing: Importing, sources: str, order: str
) -> None:
    made = await importing.client.post(
        "/v1/customers", json={"name": "Gốc", "phone": "0912345678", "attributes": {"size": "36"}}
    )
    path = f"/v1/customers/{made.json()['id']}"
    before = without_bookkeeping(made.json())
    said = (await importing.client.get(f"{path}/provenance")).json()["data"]
    head = ("Tên", "SĐT", "Email", "Ngày sinh", "attributes.size")
    imports = []
    for number, source in enumerate(sources.split()):
        row = (f"Sai {number}", "0912345678", f"e{number}@example.com", f"0{number + 1}/02/1990")
        read = await importing.read(table(head, (*row, f"4{number}")), source=source)
        read = await importing.change(read, options={"match_by": ["phone"]})
        imports.append(await importing.run(read))
        assert imports[-1]["run"]["updated"] == 1
    for each in imports if order == "oldest first" else reversed(imports):
        last = await importing.undo(each)
    assert last["undo"]["restored"] == 1
    assert without_bookkeeping(await one(importing, made.json()["id"])) == before
    assert (await importing.client.get(f"{path}/provenance")).json()["data"] == said
    identities = (await importing.client.get(f"{path}/identities")).json()["data"]
    assert [each["value"] for each in identities] == ["+84912345678"]


async def test_an_address_that_an_earlier_undoing_has_left_goes_with_the_last_who_said_it(
    importing: Importing,
) -> None:
    made = await importing.client.post("/v1/customers", json={"name": "Lan", "phone": "0912345678"})
    row = ("Lan", "0912345678", "sai@example.com")
    imports = []
    for source in ("erp", "pos"):
        read = await importing.read(table(("Tên", "SĐT", "Email"), row), source=source)
        read = await importing.change(read, options={"match_by": ["phone"]})
        imports.append(await importing.run(read))
    undone = [await importing.undo(each) for each in imports]
    assert [each["undo"]["partly"] for each in undone] == [1, 0]
    path = f"/v1/customers/{made.json()['id']}"
    assert (await importing.client.get(path)).json()["email"] is None
    identities = (await importing.client.get(f"{path}/identities")).json()["data"]
    assert [each["value"] for each in identities] == ["+84912345678"]
