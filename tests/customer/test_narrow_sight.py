"""What callers learn of people whom they do not see, or whose data they may not read: nothing."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

import httpx
import pytest
from sqlalchemy import Uuid, bindparam, func, select, text
from sqlalchemy.dialects.postgresql import ARRAY

from services.customer.customers.models import customer
from services.customer.families.seen import person_is_seen
from services.customer.jobs import build_job_kinds
from services.customer.reviews.models import review
from shared.contracts.gateway import StaffChanged, StaffState
from shared.db.aliases import stands_for
from shared.ids import TenantId, new_id
from shared.jobs.runner import JobRunner
from shared.security.principal import PrincipalKind, Visibility
from tests.customer.merging import Merging
from tests.support.harness import ServiceHarness
from tests.support.plans import rows_read

SCOPES = tuple(
    f"{resource}:{verb}"
    for resource in ("customers", "privacy", "vouchers", "custom_fields", "appointments")
    for verb in ("read", "write")
)


@pytest.fixture
async def everybody(service: ServiceHarness, shop: TenantId):
    async with service.client(shop, *SCOPES) as client:
        yield client


@pytest.fixture
async def staff(service: ServiceHarness, shop: TenantId) -> tuple[UUID, UUID]:
    """Lan and Chi, who have a team each."""
    both = new_id(), new_id()
    for who in both:
        state = StaffState(
            staff_id=who, name="Lan", email=f"{who.hex}@shop.vn", role="agent", team_ids=(new_id(),)
        )
        await service.receive(shop, "gateway", [(who, StaffChanged(staff=state))])
    return both


@pytest.fixture
def seen_by(service: ServiceHarness, shop: TenantId) -> Callable[[UUID], httpx.AsyncClient]:
    def client(who: UUID) -> httpx.AsyncClient:
        return service.client(
            shop,
            *SCOPES,
            kind=PrincipalKind.STAFF,
            actor_id=str(who),
            visibility=Visibility.OWN,
        )

    return client


async def made(client: httpx.AsyncClient, path: str, **body: Any) -> dict[str, Any]:
    answer = await client.post(path, json=body)
    assert answer.is_success, answer.text
    return answer.json()


async def ids(client: httpx.AsyncClient, path: str) -> set[str]:
    answer = await client.get(path)
    assert answer.status_code == 200, answer.text
    return {row["id"] for row in answer.json()["data"]}


async def customers_of(client: httpx.AsyncClient, *owners: UUID) -> list[str]:
    return [
        (await made(client, "/v1/customers", name="Đức", owner_id=str(owner)))["id"]
        for owner in owners
    ]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/legal-holds", {"reason": "Tranh chấp hợp đồng"}),
        ("/v1/privacy-requests", {"kind": "erasure", "details": "Xin xoá"}),
        ("/v1/privacy-requests", {"kind": "rectification"}),
    ],
)
async def test_lists_of_what_the_law_wants_are_narrowed_as_their_rows_are(
    everybody, staff, seen_by, path, body
):
    lan, chi = staff
    customers = await customers_of(everybody, lan, chi)
    mine, others = [
        (await made(everybody, path, **body, customer_id=each))["id"] for each in customers
    ]
    assert await ids(everybody, path) == {mine, others}
    async with seen_by(lan) as client:
        assert (await client.get(f"{path}/{others}")).status_code == 404
        assert await ids(client, path) == {mine}


async def test_a_person_stays_seen_by_whichever_record_the_request_names(everybody, staff, seen_by):
    lan, chi = staff
    mine, others = await customers_of(everybody, lan, chi)
    held = await made(everybody, "/v1/legal-holds", reason="Kiện", customer_id=others)
    await made(everybody, f"/v1/customers/{mine}/merges", customer_ids=[others])
    async with seen_by(lan) as client:
        assert await ids(client, "/v1/legal-holds") == {held["id"]}
    async with seen_by(chi) as client:
        assert await ids(client, "/v1/legal-holds") == set()


async def test_codes_of_a_voucher_tell_nothing_of_who_is_not_seen(everybody, staff, seen_by):
    lan, chi = staff
    mine, others = await customers_of(everybody, lan, chi)
    voucher = await made(
        everybody,
        "/v1/vouchers",
        name="Sinh nhật",
        kind="amount",
        value={"amount": "50000", "currency": "VND"},
    )
    path = f"/v1/vouchers/{voucher['id']}/codes"
    for who in (mine, others):
        await made(everybody, path, customer_ids=[who])
    await made(everybody, path, count=1)
    async with seen_by(lan) as client:
        answer = await client.get(path)
    assert sorted(str(row["customer_id"]) for row in answer.json()["data"]) == sorted(
        [mine, "None"]
    )


@pytest.fixture
async def unread(service: ServiceHarness, shop: TenantId):
    """A caller without `pii:read`."""
    async with service.client(shop, *SCOPES, sees_pii=False) as client:
        yield client


SECRETS = ("lan@example.com", "an@example.com", "+84912345678", "+84987654321")


async def test_a_merge_tells_no_personal_data_to_who_may_not_read_it(everybody, unread):
    people = Merging(everybody)
    stays = await people.make(name="An", email="an@example.com", phone="0912345678")
    other = await people.make(name="Lan", email="lan@example.com", phone="0987654321")
    masked = Merging(unread)
    fields = {"email": other["id"]}
    planned = await masked.merge(stays, other, dry_run=True, fields=fields)
    assert planned["conflicts"]
    merged = await masked.merge(stays, other, fields=fields)
    assert {taken["field"] for taken in merged["taken"]} >= {"email"}
    listed = await unread.get("/v1/merges")
    await everybody.patch(f"/v1/customers/{stays['id']}", json={"phone": "0912345678"})
    undone = await masked.undo(merged)
    for said in (str(planned), str(merged), listed.text, str(undone)):
        assert not [secret for secret in SECRETS if secret in said]


async def test_fields_kept_by_an_undoing_are_masked(everybody, unread):
    people = Merging(everybody)
    stays, other = await people.make_all("An", "Lan")
    merged = await people.merge(stays, other)
    changed = {"email": "lan@example.com"}
    answer = await everybody.patch(f"/v1/customers/{stays['id']}", json=changed)
    assert answer.status_code == 200, answer.text
    undone = await Merging(unread).undo(merged)
    assert [kept["field"] for kept in undone["undecided"]["fields"]] == ["email"]
    assert "lan@example.com" not in str(undone)


async def test_a_hold_says_why_only_to_who_may_read_it(everybody, unread):
    customer = (await made(everybody, "/v1/customers", name="Đức"))["id"]
    await made(everybody, "/v1/legal-holds", reason="Kiện ông Đức", customer_id=customer)
    asked = await made(everybody, "/v1/privacy-requests", kind="erasure", customer_id=customer)
    path = f"/v1/privacy-requests/{asked['id']}"
    await made(unread, f"{path}/identity-check", method="in_person")
    refused = await unread.post(f"{path}/execution")
    assert (refused.status_code, refused.json()["code"]) == (409, "legal_hold")
    assert "ông Đức" not in refused.text
    [held] = (await unread.get("/v1/legal-holds")).json()["data"]
    assert refused.json()["legal_hold_id"] == held["id"]


async def test_where_people_are_met_is_masked(everybody, unread):
    customer = await made(everybody, "/v1/customers", name="Đức")
    meeting = await made(
        everybody,
        "/v1/appointments",
        customer_id=customer["id"],
        title="Thử áo",
        place="12 Lê Lợi, Quận 1",
        starts_at="2030-01-01T09:00:00Z",
        ends_at="2030-01-01T10:00:00Z",
    )
    answer = await unread.get(f"/v1/appointments/{meeting['id']}")
    assert answer.status_code == 200
    assert "Lê Lợi" not in answer.text


async def test_what_does_not_fit_a_field_is_masked(service, shop, everybody, unread):
    customer = await made(
        everybody, "/v1/customers", name="Đức", attributes={"shoe": "lan@example.com"}
    )
    label = {"vi": "Cỡ giày"}
    field = await made(everybody, "/v1/custom-fields", key="shoe", type="number", label=label)
    context = service.context

    async def nobody(_tenant: TenantId) -> None:
        """Nobody needs to be woken."""

    runner = JobRunner(units=context.units, kinds=build_job_kinds(context), wake=nobody)
    await runner.go_on(shop.hex)
    answer = await unread.get(f"/v1/custom-fields/{field['id']}/misfits")
    assert [row["customer_id"] for row in answer.json()["data"]] == [customer["id"]]
    assert "lan@example.com" not in answer.text


_CROWD = text("""
    INSERT INTO customer.customer (tenant_id, id, code, stage, source, currency, kind, relation,
        orders_count, total_spent_minor, consents, attributes, tags, profile, value_tier,
        search_key, created_at, updated_at, version)
    SELECT :tenant, gen_random_uuid(), 'K' || n, 'lead', 'pos', 'VND', 'person', 'customer',
        0, 0, '[]', '{}', '[]', '{}', 'standard', 'k', now(), now(), 1
    FROM generate_series(1, 5000) n
""")
_REVIEWS = text("""
    INSERT INTO customer.review (tenant_id, id, kind, customer_id, product_id, rating, photos,
        verified, status, suspicions, created_at, updated_at, version)
    SELECT :tenant, gen_random_uuid(), 'product', id, 'P1', 5, '[]', false, 'pending', '[]',
        now(), now(), 1
    FROM customer.customer WHERE tenant_id = :tenant LIMIT 20
""")
_TENANT = bindparam("tenant", type_=Uuid)
_RECORD, _PERSON = customer.alias("record"), customer.alias("person")
_REVIEWS_SEEN = select(review.c.id).where(
    review.c.tenant_id == _TENANT, person_is_seen(review.c.customer_id, of_teams=False)
)
_PEOPLE = (
    select(_PERSON.c.consents)
    .join_from(
        _RECORD,
        _PERSON,
        (_PERSON.c.tenant_id == _TENANT) & (_PERSON.c.id == stands_for(_RECORD)),
    )
    .where(
        _RECORD.c.tenant_id == _TENANT,
        _RECORD.c.id == func.any(bindparam("ids", type_=ARRAY(Uuid))),
    )
)


@pytest.mark.parametrize("statement", [_REVIEWS_SEEN, _PEOPLE], ids=["seen", "named"])
async def test_who_stands_for_somebody_is_looked_up_and_not_searched_for(
    service, shop, database_url, statement
):
    """Among many whom nobody owns, too: each of them would be seen."""
    async with service.context.units.begin(shop) as uow:
        await uow.execute(_CROWD, {"tenant": shop})
        await uow.execute(_REVIEWS, {"tenant": shop})
        ids = await uow.scalars(select(review.c.customer_id).where(review.c.tenant_id == shop), {})
        await uow.commit()
    read = await rows_read(
        database_url,
        schema="customer",
        tenant_id=shop,
        table="customer",
        statement=statement,
        parameters={"tenant": shop, "viewer": new_id(), "ids": ids},
    )
    assert 20 <= read <= 60
