"""The fields of shops as they were a moment ago."""

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from services.customer.fields.record import CustomField
from shared.db.unit_of_work import UnitOfWork
from shared.ids import TenantId

_KEPT_FOR: Final = timedelta(seconds=1)
_MOST_SHOPS: Final = 1000


class KnownFields:
    """Remembers fields for a second: they are asked for with every list by them, and change rarely.

    What this process has changed it forgets at once. Whether somebody may ask about a field is
    decided by nothing older than the question, so this is for those who may see everything.
    """

    def __init__(self) -> None:
        self._shops: dict[TenantId, tuple[dict[str, CustomField], datetime]] = {}

    def lately(self, uow: UnitOfWork, keys: Collection[str]) -> Mapping[str, CustomField]:
        """Those of these fields that are remembered, by key."""
        fields, since = self._shops.get(uow.tenant_id, ({}, uow.clock.now()))
        if uow.clock.now() - since >= _KEPT_FOR:
            del self._shops[uow.tenant_id]
            return {}
        return {key: fields[key] for key in keys if key in fields}

    def learn(self, uow: UnitOfWork, fields: Iterable[CustomField]) -> None:
        """Remember fields that were just read."""
        if len(self._shops) >= _MOST_SHOPS:
            self._shops.clear()
        known, _ = self._shops.setdefault(uow.tenant_id, ({}, uow.clock.now()))
        known |= {field.key: field for field in fields}

    def forget_after_commit(self, uow: UnitOfWork) -> None:
        """Remember no field of a shop any more, once its fields are changed."""

        async def forget() -> None:
            self._shops.pop(uow.tenant_id, None)

        uow.after_commit(forget)
