"""What is known of the people whom a batch of rows may speak of: some look-ups for all of them."""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

from services.customer.addresses.repository import ADDRESSES
from services.customer.customers.changes import CustomerChanges
from services.customer.customers.identities import Identity
from services.customer.customers.identity_match import MAX_CANDIDATES, KnownIdentity
from services.customer.customers.identity_repository import IdentityRepository, ended_contacts
from services.customer.erased.identities import ErasedIdentities
from services.customer.families.belongings import Belongings
from services.customer.families.family import Families
from services.customer.imports.key_repository import LIVE, KeyRepository, KnownKey
from services.customer.imports.plan import ImportPlan
from services.customer.imports.row_repository import ImportRowRepository
from services.customer.imports.rows import RowRead
from services.customer.imports.tried import IdentityKey, NewKeys, Tried
from services.customer.imports.unique_values import UniqueValues
from services.customer.imports.weighed import Weighed
from shared.db.unit_of_work import UnitOfWork
from shared.text import search_key

_NOBODY: Final[Sequence[KnownIdentity]] = ()


class Surroundings:
    """Everybody whom the rows of a batch may belong to, locked, and what they have.

    Whom a row brings is known to the next.
    """

    def __init__(
        self,
        *,
        uow: UnitOfWork,
        plan: ImportPlan,
        changes: CustomerChanges,
        erased: ErasedIdentities,
    ) -> None:
        self._uow = uow
        self._plan = plan
        self._changes = changes
        self._erased = erased
        self._gone: Collection[IdentityKey] = ()
        self._all_keys = KeyRepository(uow)
        self._rows = ImportRowRepository(uow)
        self._identities = IdentityRepository(uow)
        self._families = Families(uow)
        self._held: dict[IdentityKey, list[KnownIdentity]] = defaultdict(list)
        self._given: dict[IdentityKey, list[tuple[UUID, Identity]]] = defaultdict(list)
        self._keys: dict[UUID, KnownKey] = {}
        self._codes: dict[str, UUID] = {}
        self._roots: dict[UUID, UUID] = {}
        self._own: dict[UUID, set[IdentityKey]] = defaultdict(set)
        self._addresses: dict[UUID, set[str]] = {}
        self._first_rows: dict[UUID, int] = {}
        self._ended: set[tuple[UUID, str, str]] = set()
        self._unique = UniqueValues(uow, plan.unique)
        self._taken: dict[UUID, UUID] = {}
        self._weighed = Weighed(uow, changes)
        self.new_keys: NewKeys = {}
        self.tried = Tried(self._all_keys, plan, self.new_keys)

    async def look(self, rows: Sequence[RowRead]) -> None:
        """Look everything up, and lock the customers whom rows may change."""
        await self._look_for_keys(rows)
        for held in await self._identities.holders(_distinct(rows).values()):
            known = held.identifier
            self._held[known.kind, known.source, known.value].append(held)
        await self._look_for_tried(rows)
        # After the holders: whoever is erased in between is in one of the two.
        if await self._erased.any():
            self._gone = await self._erased.erased(list(_distinct(rows)))
        self._codes = await self._rows.ids_by_code({r.code for r in rows if r.code})
        linked = {*self._linked(rows), *self._codes.values()}
        await self._lock(linked)
        await self._weighed.look(linked, self._roots)
        self._roots = {**{each: each for each in self._tried_ones(linked)}, **self._roots}
        await self._look_at_belongings(rows)
        await self._unique.look(rows)
        await self.tried.let_go(self._unique.held)
        self._taken = await self.tried.takers(
            {key for said in rows for key in self._unique.keys_of(said)}
        )

    def root(self, customer_id: UUID) -> UUID | None:
        """Who stands for a customer; None when there is none (any more)."""
        return self._roots.get(customer_id)

    def record_of_code(self, code: str) -> UUID | None:
        """The very record with a code, whoever stands for it."""
        return self._codes.get(code)

    def holders(self, identity: Identity) -> Sequence[KnownIdentity]:
        """Who has an identity; nobody when so many have it that it says nothing."""
        held = self._all_holders(identity.key)
        return held if len(held) <= MAX_CANDIDATES else _NOBODY

    def owner(self, identity: Identity) -> UUID | None:
        """Whose a source's own id is."""
        held = self._all_holders(identity.key)
        owner = next((known.customer_id for known in held if known.identifier.trusted), None)
        return owner if owner is None else self._roots.get(owner, owner)

    def records_with(self, identity: Identity, root_id: UUID) -> set[UUID]:
        """The very records of a customer that have an identity."""
        return {
            held.record_id or held.customer_id
            for held in self._all_holders(identity.key)
            if self._roots.get(held.customer_id) == root_id
        }

    def leave_out_weighed(self, said: RowRead) -> None:
        """Take away from a row what was weighed already when its records were merged."""
        self._weighed.leave_out(said)

    def was_erased(self, said: RowRead) -> bool:
        """Whether a row has something that an erased person was known by."""
        return bool(self._gone) and any(i.key in self._gone for i in _all_identities(said))

    def has_ended(self, customer_id: UUID, kind: str, value: Any) -> bool:
        """Whether an address or number was theirs once and is not any more."""
        return (customer_id, kind, value) in self._ended

    def refuse_taken(self, said: RowRead, customer_id: UUID | None) -> Iterable[str]:
        """Take away from a row the values that only somebody else may have; names the fields."""
        return list(self._unique.refuse_taken(said, customer_id, self._taken))

    def known_key(self, key: UUID) -> KnownKey | None:
        """Whom a key leads to."""
        return self._keys.get(key)

    def has_other_external(self, customer_id: UUID, external: Identity | None) -> bool:
        """Whether the source knows them by another id: then it is somebody else."""
        if external is None:
            return False
        if self.tried.has_external(customer_id) and not self.has(customer_id, external):
            return True
        return any(
            kind == external.kind and scope == external.scope and value != external.value
            for kind, scope, value in self._own.get(customer_id, ())
        )

    def has(self, customer_id: UUID, identity: Identity) -> bool:
        """Whether the person has it already."""
        return identity.key in self._own.get(customer_id, ())

    def lives_at(self, customer_id: UUID, address: str) -> bool:
        """Whether the person has this address already."""
        return search_key(address) in self._addresses.get(customer_id, ())

    def has_address(self, customer_id: UUID) -> bool:
        """Whether the person has any."""
        return bool(self._addresses.get(customer_id))

    def first_row(self, customer_id: UUID) -> int | None:
        """The row of this import that has met them first."""
        return self._first_rows.get(customer_id)

    def remember(
        self, said: RowRead, customer_id: UUID, name: str | None, attributes: Mapping[str, Any]
    ) -> None:
        """From now on this is known of a customer, who has this name and these attributes."""
        taken = self.tried.untold(customer_id, attributes)
        for key in self._unique.keep(said, customer_id, taken):
            if self._plan.is_dry:
                self.new_keys[key] = (customer_id, said.row)
        if self._plan.is_dry:
            values = self._unique.keys_by_field(attributes)
            self.tried.tell(customer_id, name, values, row=said.row)
        for key in said.keys:
            if key not in self._keys:
                self._keys[key] = KnownKey(customer_id, said.row, is_tried=False)
                self.new_keys[key] = (customer_id, said.row)
        self._roots.setdefault(customer_id, customer_id)
        if customer_id not in self._first_rows:
            self._first_rows[customer_id] = said.row
            self.tried.meet(customer_id, said.row)

    def give(self, customer_id: UUID, identity: Identity, *, row: int) -> None:
        """They have this, too."""
        self._own[customer_id].add(identity.key)
        given = self._given[identity.key]
        if len(given) <= MAX_CANDIDATES:
            self.tried.give(customer_id, identity, place=len(given), row=row)
            given.append((customer_id, identity))

    def settle(self, customer_id: UUID, address: str) -> None:
        """They live there, too."""
        self._addresses.setdefault(customer_id, set()).add(search_key(address))

    def _all_holders(self, key: IdentityKey) -> Sequence[KnownIdentity]:
        held = self._held.get(key, _NOBODY)
        if key not in self._given:
            return held
        given = (KnownIdentity(who, identity.identifier()) for who, identity in self._given[key])
        return [*held, *given]

    async def _look_for_keys(self, rows: Sequence[RowRead]) -> None:
        wanted = {key for said in rows for key in said.keys}
        scope = self._plan.import_id if self._plan.is_dry else LIVE
        self._keys = await self._all_keys.keys(wanted, scope=scope)

    async def _look_for_tried(self, rows: Sequence[RowRead]) -> None:
        distinct = _distinct(rows)
        for key, holders in (await self.tried.holders(distinct.values())).items():
            self._given[key] = [(who, distinct[key]) for who in holders]

    def _tried_ones(self, linked: Collection[UUID]) -> set[UUID]:
        """Of these, who was brought or met in earlier portions of a dry run."""
        tried = {known.customer_id for known in self._keys.values() if known.is_tried}
        return tried | {who for given in self._given.values() for who, _ in given if who in linked}

    def _linked(self, rows: Sequence[RowRead]) -> set[UUID]:
        """Everybody to whom some row may belong."""
        linked = {known.customer_id for known in self._keys.values()}
        for said in rows:
            for identity in _all_identities(said):
                if identity.kind == "platform_id" or identity.kind in self._plan.match_by:
                    for held in self._all_holders(identity.key):
                        linked.update(filter(None, (held.customer_id, held.record_id)))
        return linked

    async def _lock(self, customer_ids: set[UUID]) -> None:
        """Lock who stands for these people. Merged meanwhile, it is somebody else."""
        while True:
            roots = await self._families.roots(customer_ids)
            waiting = {root for root in roots.values() if root not in self._changes}
            if not waiting:
                break
            await self._changes.lock(waiting)
        if not roots:
            return
        self._roots = dict(await self._families.of_all(roots.values()))

    async def _look_at_belongings(self, rows: Sequence[RowRead]) -> None:
        if not self._roots:
            return
        own = await self._identities.list_of(self._roots)
        for row in own:
            self._own[self._roots[row.customer_id]].add((row.kind, row.scope, row.value))
        for key, given in self._given.items():
            for who, _ in given:
                self._own[self._roots.get(who, who)].add(key)
        self._ended = {
            (self._roots[member], kind, value) for member, kind, value in ended_contacts(own)
        }
        if any(said.address for said in rows):
            for place in await Belongings(self._uow, ADDRESSES).list_of(self._roots):
                self.settle(self._roots[place.customer_id], place.full_address or "")
        met = await self._met()
        for member, at in met.items():
            root = self._roots[member]
            self._first_rows[root] = min(at, self._first_rows.get(root, at))

    async def _met(self) -> Mapping[UUID, int]:
        if not self._plan.is_dry:
            return await self._rows.first_rows(self._plan.import_id, self._roots)
        return await self.tried.look(self._roots)


def _distinct(rows: Sequence[RowRead]) -> dict[IdentityKey, Identity]:
    return {i.key: i for said in rows for i in _all_identities(said)}


def _all_identities(said: RowRead) -> Sequence[Identity]:
    return said.identities if said.external is None else [said.external, *said.identities]
