"""What a dry run has done to people, for its later portions to know: digests, and nothing else.

Whom it has brought is nobody, and whom it has changed is as before; so all that the run would look
up of them is remembered here. Nothing is looked up or remembered where the run is not dry.
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final
from uuid import UUID

from services.customer.customers.identities import Identity
from services.customer.customers.identity_match import MAX_CANDIDATES
from services.customer.customers.says import ATTRIBUTE
from services.customer.imports.key_repository import KeyRepository
from services.customer.imports.plan import ImportPlan
from services.customer.imports.rows import row_key
from shared.text import search_key

IdentityKey = tuple[str, str, str]
NewKeys = dict[UUID, tuple[UUID, int]]
_NAME: Final = "name"


class Tried:
    """What one dry run has tried so far, inside one unit of work."""

    def __init__(self, keys: KeyRepository, plan: ImportPlan, new_keys: NewKeys) -> None:
        self._keys = keys
        self._plan = plan
        self._new_keys = new_keys
        self._facts: dict[UUID, UUID] = {}

    async def holders(self, identities: Iterable[Identity]) -> dict[IdentityKey, list[UUID]]:
        """To whom it has given these, the first first; of more than say something not all."""
        held: dict[IdentityKey, list[UUID]] = {}
        waiting = list(identities) if self._plan.is_dry else []
        for place in range(MAX_CANDIDATES + 1):
            asked = {_holder_key(identity, place): identity for identity in waiting}
            known = await self._keys.keys(asked, scope=self._plan.import_id)
            for key, found in known.items():
                held.setdefault(asked[key].key, []).append(found.customer_id)
            waiting = [asked[key] for key in known]
        return held

    async def takers(self, keys: Collection[UUID]) -> dict[UUID, UUID]:
        """Who has taken the values, of those that only one person may have, with these keys."""
        if not self._plan.is_dry:
            return {}
        known = await self._keys.keys(keys, scope=self._plan.import_id)
        return {key: found.customer_id for key, found in known.items()}

    async def let_go(self, held: Mapping[tuple[str, str], set[UUID]]) -> None:
        """Leave out of the holders of values who has got another one meanwhile."""
        if not self._plan.is_dry:
            return
        told = {
            _told_key(who, f"{ATTRIBUTE}{field}"): (who, field, value)
            for (field, value), holders in held.items()
            for who in holders
        }
        for key, found in (await self._keys.keys(told, scope=self._plan.import_id)).items():
            who, field, value = told[key]
            if found.customer_id != value_key(field, value):
                held[field, value].discard(who)

    async def look(self, customer_ids: Collection[UUID]) -> dict[UUID, int]:
        """Look up what has become of these people; by which row each was met first."""
        met = {_met_key(each): each for each in customer_ids}
        fields = [_NAME, *(f"{ATTRIBUTE}{field.key}" for field in self._plan.unique)]
        told = [_told_key(each, field) for each in customer_ids for field in fields]
        asked = [*met, *map(_external_key, customer_ids), *told]
        found = await self._keys.keys(asked, scope=self._plan.import_id)
        self._facts = {key: known.customer_id for key, known in found.items()}
        return {met[key]: known.row for key, known in found.items() if key in met}

    def has_external(self, customer_id: UUID) -> bool:
        """Whether they were given an id of the source."""
        return _external_key(customer_id) in self._facts

    def is_called(self, customer_id: UUID, name_key: str) -> bool | None:
        """Whether they have this name by now; None for whom none was told."""
        name = self._facts.get(_told_key(customer_id, _NAME))
        return None if name is None else name == _name_digest(name_key)

    def untold(self, customer_id: UUID, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """Those of these attributes that no row has told of before: later ones only fill."""
        if not self._plan.is_dry:
            return attributes
        return {
            name: value
            for name, value in attributes.items()
            if _told_key(customer_id, f"{ATTRIBUTE}{name}") not in self._facts
        }

    def give(self, customer_id: UUID, identity: Identity, *, place: int, row: int) -> None:
        """Remember what they are recognised by, as one of those who have it already."""
        if self._plan.is_dry:
            self._new_keys[_holder_key(identity, place)] = (customer_id, row)
            if identity.kind == "platform_id":
                self._tell(_external_key(customer_id), customer_id, row)

    def meet(self, customer_id: UUID, row: int) -> None:
        """Remember which row has met them first."""
        if self._plan.is_dry:
            self._new_keys[_met_key(customer_id)] = (customer_id, row)

    def tell(
        self, customer_id: UUID, name: str | None, values: Mapping[str, UUID], *, row: int
    ) -> None:
        """Remember what they have after a row: a name, and keys of values of their own."""
        # A name tells people apart only where a contact alone leads to them.
        if name and self._plan.match_by:
            self._tell(_told_key(customer_id, _NAME), _name_digest(search_key(name)), row)
        for field, value in values.items():
            self._tell(_told_key(customer_id, f"{ATTRIBUTE}{field}"), value, row)

    def _tell(self, key: UUID, value: UUID, row: int) -> None:
        if key not in self._facts:
            self._facts[key] = value
            self._new_keys[key] = (value, row)


def value_key(field: str, value: str) -> UUID:
    """What a dry run remembers a value by that only one person may have."""
    return row_key("unique", field, value)


def _holder_key(identity: Identity, place: int) -> UUID:
    return row_key("holder", *identity.key, str(place))


def _external_key(customer_id: UUID) -> UUID:
    return row_key("external", customer_id.hex)


def _met_key(customer_id: UUID) -> UUID:
    return row_key("met", customer_id.hex)


def _told_key(customer_id: UUID, field: str) -> UUID:
    return row_key("told", customer_id.hex, field)


def _name_digest(name_key: str) -> UUID:
    return row_key("name", name_key)
