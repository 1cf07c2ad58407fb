"""Each field of an imported row is said by the file's source, and the shop decides who counts."""

from typing import Any

import httpx
import pytest

from tests.customer.imports.shop import Importing, Json, table

HEAD = ("Tên", "Mã hội viên", "Thành phố", "Nghề nghiệp", "Địa chỉ", "attributes.size")
PRIORITY = "/v1/customers/source-priority"


@pytest.fixture
def known(client: httpx.AsyncClient):
    """A customer whom another system has told of, and the till knows by its id."""

    async def made(**said: Any) -> str:
        ids = [{"source": "pos", "external_id": "M1"}]
        body = {"name": "Lan", "source": "erp", "external_ids": ids, **said}
        answer = await client.post("/v1/customers", json=body)
        assert answer.status_code == 201, answer.text
        return f"/v1/customers/{answer.json()['id']}"

    return made


async def said(client: httpx.AsyncClient, path: str) -> dict[str, Json]:
    answer = await client.get(f"{path}/provenance")
    assert answer.status_code == 200, answer.text
    return {one["field"]: one for one in answer.json()["data"]}


async def customer(client: httpx.AsyncClient, path: str) -> Json:
    found: Json = (await client.get(path)).json()
    return found


async def believe(client: httpx.AsyncClient, *sources: str) -> None:
    answer = await client.put(PRIORITY, json={"sources": list(sources)})
    assert answer.status_code == 200, answer.text


@pytest.mark.capability(15)
async def test_the_source_is_kept_with_each_field(importing: Importing, known: Any) -> None:
    path = await known(city="Huế")
    row = ("Lan Anh", "M1", "Vinh", "Giáo viên", "3 Lê Lợi, Huế", "38")
    await importing.take_in(table(HEAD, row), source="pos")
    fields = await said(importing.client, path)
    for name, value in {
        "name": "Lan Anh",
        "city": "Vinh",
        "occupation": "Giáo viên",
        "attributes.size": "38",
    }.items():
        assert (fields[name]["source"], fields[name]["value"]) == ("pos", value)
    assert fields["address"]["source"] == "pos"
    assert [(o["source"], o["value"]) for o in fields["city"]["others"]] == [("erp", "Huế")]


async def test_whom_the_shop_believes_more_stays_and_the_row_says_so(
    importing: Importing, known: Any
) -> None:
    path = await known(city="Huế")
    await believe(importing.client, "erp", "pos")
    done = await importing.take_in(table(HEAD, ("Lan Anh", "M1", "Vinh", "Thợ")), source="pos")
    found = await customer(importing.client, path)
    assert (found["name"], found["city"], found["occupation"]) == ("Lan", "Huế", "Thợ")
    [row] = await importing.rows(done)
    assert [(one["code"], one["column"]) for one in row["problems"]] == [
        ("other_source_believed", "Tên"),
        ("other_source_believed", "Thành phố"),
    ]
    # It is remembered, and counts as soon as the other has nothing to say.
    [other] = (await said(importing.client, path))["city"]["others"]
    assert (other["source"], other["value"]) == ("pos", "Vinh")
    assert set(row["changes"]) == {"fields"}
    again = await importing.take_in(table(HEAD, ("Lan Anh", "M1", "Vinh", "Thợ")), source="pos")
    assert (again["run"]["unchanged"], again["run"]["updated"]) == (1, 0)


async def test_an_undone_import_takes_its_words_back(importing: Importing, known: Any) -> None:
    path = await known(city="Huế", attributes={"size": "36"})
    first = table(HEAD, ("Lan", "M1", "Vinh", "Thợ"))
    await importing.take_in(first, source="pos")
    before = await said(importing.client, path)
    row = ("Lan Anh", "M1", "Đà Lạt", "Giáo viên", "3 Lê Lợi, Huế", "38")
    second = await importing.take_in(table(HEAD, row), source="pos")
    assert await said(importing.client, path) != before
    undone = await importing.undo(second)
    assert undone["undo"]["restored"] == 1
    assert await said(importing.client, path) == before
    found = await customer(importing.client, path)
    assert (found["city"], found["occupation"], found["attributes"]) == (
        *("Vinh", "Thợ"),
        {"size": "36"},
    )


async def test_what_did_not_count_is_taken_back_too(importing: Importing, known: Any) -> None:
    path = await known(city="Huế")
    before = await said(importing.client, path)
    await believe(importing.client, "erp", "pos")
    done = await importing.take_in(table(HEAD[:3], ("Lan", "M1", "Vinh")), source="pos")
    undone = await importing.undo(done)
    assert undone["undo"]["restored"] == 1
    assert await said(importing.client, path) == before


async def test_what_others_have_said_since_stays_without_the_files_words(
    importing: Importing, known: Any
) -> None:
    path = await known(city="Huế")
    done = await importing.take_in(table(HEAD[:3], ("Lan", "M1", "Vinh")), source="pos")
    answer = await importing.client.patch(path, json={"city": "Đà Lạt"})
    assert answer.status_code == 200, answer.text
    undone = await importing.undo(done)
    assert undone["undo"]["partly"] == 1
    city = (await said(importing.client, path))["city"]
    assert (city["source"], city["value"]) == ("api", "Đà Lạt")
    assert [one["source"] for one in city["others"]] == ["erp"]
