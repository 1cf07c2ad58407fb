"""A pair that arises says at once all that speaks for and against it, names first of all."""

from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import Engine, event

from services.customer.following import pair_weighing
from services.customer.jobs import build_job_kinds
from shared.jobs.runner import JobRunner
from tests.customer.imports.shop import Importing, table
from tests.customer.merging import Merging
from tests.customer.told import later, platform_customer
from tests.support.job_part import nobody

BINH, CUONG, PHONE, BORN = "Trần Thị Bình", "Lê Văn Cường", "0912345678", "1990-02-28"
SCOPES = tuple(
    f"{resource}:{verb}"
    for resource in ("customers", "duplicates", "jobs", "imports")
    for verb in ("read", "write")
)


@pytest.fixture
async def client(service, shop):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
def people(client) -> Merging:
    return Merging(client)


@pytest.fixture
def pairs(client):
    """The open pairs: of each the score and the reasons."""

    async def read() -> list[tuple[int, list[str]]]:
        listed = (await client.get("/v1/duplicates")).json()["data"]
        return [(pair["score"], pair["reasons"]) for pair in listed]

    return read


@pytest.fixture
def importing(service, client, shop) -> Importing:
    kinds = build_job_kinds(service.context)
    return Importing(client, JobRunner(units=service.context.units, kinds=kinds, wake=nobody), shop)


@contextmanager
def heard():
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def hear(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(Engine, "before_cursor_execute", hear)
    try:
        yield sent
    finally:
        event.remove(Engine, "before_cursor_execute", hear)


async def test_another_name_is_never_more_than_fifteen(people, pairs):
    await people.make(name=BINH, phone=PHONE)
    await people.make(name=CUONG, phone=PHONE, email="cuong@example.com")
    [(score, reasons)] = await pairs()
    assert (score <= 15, reasons) == (True, ["same_phone_claimed"])


async def test_the_same_name_counts_on_arrival(people, pairs):
    await people.make(name=BINH, phone=PHONE, birth_date=BORN)
    await people.make(name="tran thi binh", phone=PHONE, birth_date=BORN)
    [(score, reasons)] = await pairs()
    assert score > 90
    assert reasons == ["same_phone_claimed", "same_birth_date", "same_name"]


async def test_who_tells_no_name_is_asked_about_for_the_number_alone(people, pairs):
    await people.make(name=BINH, phone=PHONE)
    await people.make(phone=PHONE)
    assert await pairs() == [(40, ["same_phone_claimed"])]


async def test_a_number_that_is_said_later_counts_with_the_names(people, client, pairs):
    await people.make(name=BINH, phone=PHONE)
    for name, is_one in ((BINH, True), (CUONG, False)):
        other = await people.make(name=name)
        said = {"kind": "phone", "value": PHONE}
        if is_one:
            answer = await client.patch(f"/v1/customers/{other['id']}", json={"phone": PHONE})
        else:
            answer = await client.post(f"/v1/customers/{other['id']}/identities", json=said)
        assert answer.is_success, answer.text
    found = sorted(await pairs())
    assert [score <= 15 for score, _ in found] == [True, True, False]
    assert set(found[-1][1]) == {"same_phone_claimed", "same_name"}


async def test_another_name_lowers_and_the_same_raises_at_once(people, client, pairs):
    await people.make(name=BINH, phone=PHONE)
    other = await people.make(name=BINH, phone=PHONE)
    scores = []
    for name in (CUONG, BINH):
        await client.patch(f"/v1/customers/{other['id']}", json={"name": name})
        scores += [score for score, _ in await pairs()]
    assert [score <= 15 for score in scores] == [True, False]


async def test_a_platform_that_tells_of_many_makes_pairs_with_all_reasons(
    people, service, shop, pairs
):
    await people.make(name=BINH, phone=PHONE)
    told = [
        platform_customer(str(number), name=name, phone=PHONE)
        for number, name in enumerate((BINH, CUONG))
    ]
    await service.receive(shop, "gateway", told)
    found = sorted(await pairs())
    assert [score <= 15 for score, _ in found] == [True, True, False]
    assert set(found[-1][1]) == {"same_phone_claimed", "same_name"}


async def test_what_both_have_proved_outweighs_another_name(people, service, shop, pairs):
    """Shopify knows its customer 8, and has proof of an address that another has proved, too."""
    proved = {"email": "lan@example.com", "email_verified": True}
    for told in (
        platform_customer("7", name=BINH, **proved),
        platform_customer("8", name=CUONG),
        platform_customer("8", name=CUONG, **proved, changed_at=later(hours=1)),
    ):
        await service.receive(shop, "gateway", [told])
    assert await pairs() == [(95, ["same_email"])]


async def test_an_import_weighs_all_its_pairs_together(people, importing, pairs):
    """However many pairs a file brings, the statements that weigh them are as many."""
    names = [BINH, CUONG, "Phạm Ngọc Ánh", "Vũ Minh Khôi", "Đỗ Gia Hân", "Bùi Quốc Tuấn"]
    numbers = [f"09123456{n:02d}" for n in range(len(names))]
    for name, number in zip(names, numbers, strict=True):
        await people.make(name=name, phone=number)
    costs = []
    for first, last in ((0, 1), (1, 6)):
        rows = zip(names[first:last], numbers[first:last], strict=True)
        with heard() as sent:
            await importing.take_in(table(("Tên", "SĐT"), *rows))
        costs.append(len(sent))
    found = await pairs()
    assert len(found) == len(names)
    assert all(set(reasons) == {"same_phone_claimed", "same_name"} for _, reasons in found)
    assert all(score > 90 for score, _ in found)
    assert costs[1] <= costs[0] + 2


async def test_nothing_to_propose_asks_nothing(service, shop):
    async with service.context.units.begin(shop) as uow:
        with heard() as sent:
            await pair_weighing(uow).propose([])
    assert sent == []
