"""What is kept for a while only is forgotten, a transaction at a time, until nothing is left."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import text

from shared.db.forgetting import Forgetting, Passing
from shared.db.unit_of_work import UnitOfWork
from shared.ids import new_id
from tests.shared.test_unit_of_work import ThingHappened

_GONE = text(
    "DELETE FROM source.outbox WHERE tenant_id = :tenant AND id IN "
    "(SELECT id FROM source.outbox WHERE tenant_id = :tenant ORDER BY id LIMIT :at_most)"
)
_LEFT = text("SELECT count(*) FROM source.outbox WHERE tenant_id = :tenant")


async def test_what_is_outdated_is_forgotten_some_at_a_time(source, tenant):
    asked: list[tuple[datetime, int]] = []

    async def forget(uow: UnitOfWork, before: datetime, at_most: int) -> int:
        if uow.tenant_id != tenant:
            return 0
        asked.append((before, at_most))
        return await uow.execute(_GONE, {"tenant": tenant, "at_most": at_most})

    async with source.units.begin(tenant) as uow:
        for _ in range(5):
            uow.append(ThingHappened(what="a"), key=new_id())
        await uow.commit()
    kind = Passing("tenants_with_unsent_events", timedelta(days=1), forget, at_once=2)
    await Forgetting(source.units, kind).sweep()
    async with source.units.begin(tenant) as uow:
        assert await uow.scalar(_LEFT, {"tenant": tenant}) == 0
    assert [at_most for _, at_most in asked] == [2, 2, 2]
    age = datetime.now(UTC) - asked[0][0]
    assert timedelta(days=1) <= age < timedelta(days=1, minutes=10)
