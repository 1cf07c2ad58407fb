"""Sweeps over tenants: whose trouble is whose."""

import pytest

from shared.db.sweeps import for_each_tenant
from shared.errors import Unavailable
from shared.ids import TenantId, new_id

TENANTS = [TenantId(new_id()) for _ in range(6)]


class Work:
    """Notes whose turn it was, and fails for some."""

    def __init__(self, troubles: dict[TenantId, Exception]) -> None:
        self.troubles = troubles
        self.done: list[TenantId] = []

    async def __call__(self, tenant_id: TenantId) -> None:
        self.done.append(tenant_id)
        if tenant_id in self.troubles:
            raise self.troubles[tenant_id]


@pytest.mark.parametrize("trouble", [KeyError("odd"), Unavailable()])
async def test_one_tenants_trouble_is_not_the_next_ones(trouble: Exception) -> None:
    work = Work({TENANTS[0]: trouble, TENANTS[1]: trouble, TENANTS[3]: trouble})
    await for_each_tenant(TENANTS, work, what="test")
    assert work.done == TENANTS


async def test_a_mistake_in_all_of_them_keeps_none_from_its_turn() -> None:
    work = Work(dict.fromkeys(TENANTS, KeyError("odd")))
    await for_each_tenant(TENANTS, work, what="test")
    assert work.done == TENANTS


async def test_a_server_that_is_away_is_not_asked_for_everybody() -> None:
    work = Work(dict.fromkeys(TENANTS, Unavailable()))
    with pytest.raises(Unavailable):
        await for_each_tenant(TENANTS, work, what="test")
    assert work.done == TENANTS[:3]
